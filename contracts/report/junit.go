package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// The elements and attributes are those of the schema that Jenkins' xUnit plugin checks
// reports by. There tests, failures and errors are required, and time is a decimal.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
		Skipped *junitReason `xml:"skipped"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes the report as JUnit XML.
func (r *Report) writeJUnit(w io.Writer) error {
	document := junitSuites{
		Name:     foreign.Line(r.Title),
		Failures: r.Count(Failed),
		Errors:   r.Count(Undecided),
	}
	var took Seconds
	for _, s := range r.Suites {
		suite, seconds := s.junit()
		document.Suites = append(document.Suites, suite)
		document.Tests += suite.Tests
		took += seconds
	}
	document.Time = took.String()
	text, err := xml.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

// junit returns the suite as JUnit has it, and how long its cases took. JUnit knows no
// pending cases: they are skipped ones.
func (s Suite) junit() (junitSuite, Seconds) {
	suite := junitSuite{
		Name:     foreign.Line(s.Name),
		Tests:    len(s.Cases),
		Failures: s.count(Failed),
		Errors:   s.count(Undecided),
		Skipped:  s.count(Skipped) + s.count(Pending),
	}
	var took Seconds
	for _, c := range s.Cases {
		took += c.Duration
		suite.Cases = append(suite.Cases, c.junit(suite.Name))
	}
	suite.Time = took.String()
	return suite, took
}

func (c Case) junit(class string) junitCase {
	j := junitCase{Class: class, Name: foreign.Line(c.Name), Time: c.Duration.String()}
	details := foreign.Block(strings.Join(c.Details, "\n"))
	first, _, _ := strings.Cut(details, "\n")
	why := &junitReason{Message: first + foreign.Line(c.place()), Text: details}
	switch c.Result {
	case Failed:
		j.Failure = why
	case Undecided:
		j.Error = why
	case Skipped, Pending:
		j.Skipped = why
	case Passed:
	}
	return j
}
