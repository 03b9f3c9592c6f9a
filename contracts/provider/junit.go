//go:build pact

package provider

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/llama-orch/node-registration/contracts/results"
)

// WriteJUnit writes reports as JUnit XML, which most CI systems read.
func WriteJUnit(w io.Writer, reports ...*Report) error {
	document := struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}{}
	for _, report := range reports {
		document.Suites = append(document.Suites, report.suite())
	}
	text, err := xml.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

type suite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Class   string  `xml:"classname,attr"`
	Name    string  `xml:"name,attr"`
	Seconds float64 `xml:"time,attr"`
	Failure *reason `xml:"failure"`
	Skipped *reason `xml:"skipped"`
}

type reason struct {
	Message string `xml:"message,attr"`
}

func (r *Report) suite() suite {
	s := suite{
		Name:     r.Consumer + " and " + r.Provider,
		Tests:    len(r.Interactions),
		Failures: r.count(results.Failed),
		Skipped:  r.count(results.Skipped),
	}
	for _, i := range r.Interactions {
		c := testCase{Class: s.Name, Name: i.Description, Seconds: i.Duration.Seconds()}
		why := &reason{Message: strings.Join(i.Details, "\n")}
		switch i.Result {
		case results.Failed:
			c.Failure = why
		case results.Skipped:
			c.Skipped = why
		case results.Passed:
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}
