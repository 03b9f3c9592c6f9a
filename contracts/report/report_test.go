package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/report"
)

func example() report.Report {
	return report.Report{
		Title: "What nodes need of orchestratord",
		Suites: []report.Suite{{Name: "nodes, 100%", Cases: []report.Case{
			{Name: "a heartbeat", Result: report.Passed, Duration: report.Seconds(1500 * time.Millisecond)},
			{
				Name: "a list", Result: report.Failed, Details: []string{"count: expected 1\ngot 2", "at once"},
				File: "nodes.yaml", Line: 12, Duration: report.Seconds(30 * time.Microsecond),
			},
			{Name: "a registration", Result: report.Undecided, Details: []string{"no answer"}},
			{Name: "an odd one", Result: report.Pending, Details: []string{"not yet"}},
			{Name: "a profile", Result: report.Skipped, Details: []string{"no call switches it"}},
		}}},
	}
}

// write returns a report in one format, as the flag writes it.
func write(t *testing.T, r report.Report, format string) string {
	t.Helper()
	var flag report.Flag
	if err := flag.Set(format); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := flag.Write(&text, r.Writers()); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestFormats(t *testing.T) {
	tabled := example()
	tabled.Table = &report.Table{Columns: []string{"operation", "rules"}, Rows: [][]string{{"listNodes", "3|4"}}}
	for name, test := range map[string]struct {
		report report.Report
		format string
		want   string
	}{
		"text": {example(), "text", `What nodes need of orchestratord

passed   a heartbeat
FAILED   a list (nodes.yaml:12)
         count: expected 1
         got 2
         at once
UNDECIDED a registration
         no answer
pending  an odd one
         not yet
skipped  a profile
         no call switches it

1 of 5 cases passed, 1 failed, 1 undecided, 1 pending, 1 skipped
`},
		"text with a table": {tabled, "text", `What nodes need of orchestratord

OPERATION  RULES
listNodes  3|4

FAILED   a list (nodes.yaml:12)
`},
		"markdown": {tabled, "markdown", `### What nodes need of orchestratord

| operation | rules |
| --- | --- |
| listNodes | 3\|4 |

1 of 5 cases passed, 1 failed, 1 undecided, 1 pending, 1 skipped

- **failed**: a list (nodes.yaml:12)
  <br>count: expected 1
  <br>got 2
  <br>at once
`},
		"github": {
			example(), "github",
			`::error file=nodes.yaml,line=12,title=nodes%2C 100%25::a list%0Acount: expected 1%0Agot 2%0Aat once
::error title=nodes%2C 100%25::a registration%0Ano answer
::warning title=nodes%2C 100%25::an odd one%0Anot yet
::notice title=What nodes need of orchestratord::1 of 5 cases passed, 1 failed, 1 undecided, 1 pending, 1 skipped
`,
		},
		"junit": {example(), "junit", `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="What nodes need of orchestratord" tests="5" failures="1" errors="1" time="1.500">
  <testsuite name="nodes, 100%" tests="5" failures="1" errors="1" skipped="2" time="1.500">
    <testcase classname="nodes, 100%" name="a heartbeat" time="1.500"></testcase>
    <testcase classname="nodes, 100%" name="a list" time="0.000">
      <failure message="count: expected 1 (nodes.yaml:12)">count: expected 1&#xA;got 2&#xA;at once</failure>
    </testcase>
`},
		"json": {example(), "json", `{
  "title": "What nodes need of orchestratord",
  "summary": "1 of 5 cases passed, 1 failed, 1 undecided, 1 pending, 1 skipped",
  "suites": [
    {
      "name": "nodes, 100%",
      "cases": [
        {
          "name": "a heartbeat",
          "result": "passed",
          "seconds": 1.500
        },
`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := write(t, test.report, test.format); !strings.HasPrefix(got, test.want) {
				t.Errorf("got:\n%s\nwant it to begin with:\n%s", got, test.want)
			}
		})
	}
}

func TestKept(t *testing.T) {
	for result, want := range map[report.Result]bool{
		report.Passed: true, report.Skipped: true, report.Pending: true, report.Failed: false, report.Undecided: false,
	} {
		r := report.Report{Suites: []report.Suite{{Cases: []report.Case{{Result: result}}}}}
		if r.Kept() != want {
			t.Errorf("%s: kept is %t", result, r.Kept())
		}
	}
}

// hostile tries what hurts terminals, CI runners, tables and XML.
const hostile = "e|vil\n::error title=pwned::x\n  ::stop-commands::x9\n##[error]a " +
	"##vso[b]\r\x1b]52;c;cm0=\a\x1b[2J\u202e\u009b\x00 " +
	"\\x1b[2J <script>]]> & </testsuites> `x` %0A::add-mask::y\xff"

// unsafe matches what may be in no report: characters that steer a terminal, and
// lines that a CI runner takes for a command.
var unsafe = regexp.MustCompile("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\u202e\ufffd]|(?m:^\\s*::)|##[a-z]*\\[")

func TestHostileText(t *testing.T) {
	r := report.Report{
		Title: hostile, Summary: hostile,
		Suites: []report.Suite{
			{Name: hostile, Cases: []report.Case{
				{Name: hostile, Result: report.Failed, Details: []string{hostile}, File: hostile, Line: 1},
				{Name: hostile, Result: report.Undecided, Details: []string{hostile}, File: hostile},
			}},
			{Name: hostile, Cases: []report.Case{{Name: hostile, Result: report.Skipped, Details: []string{hostile}}}},
		},
		Table: &report.Table{Columns: []string{hostile, hostile}, Rows: [][]string{{hostile, hostile}}},
	}
	for format := range r.Writers() {
		text := write(t, r, format)
		if format == "github" { // its own commands, one a line, aside
			text = regexp.MustCompile(`(?m)^::(error|notice) [^:]*::`).ReplaceAllString(text, "")
		}
		if found := unsafe.FindString(text); found != "" {
			t.Errorf("%s holds %q:\n%s", format, found, text)
		}
	}
	for line := range strings.Lines(write(t, r, "markdown")) {
		cells := strings.Count(line, "|") - strings.Count(line, `\|`)
		if strings.HasPrefix(line, "|") && cells != 3 {
			t.Errorf("a row of the table has %d bars, want 3: %s", cells, line)
		}
	}
	decoder := xml.NewDecoder(strings.NewReader(write(t, r, "junit")))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("JUnit is no XML: %v", err)
		}
	}
	var back struct{ Title string }
	if err := json.Unmarshal([]byte(write(t, r, "json")), &back); err != nil ||
		!strings.HasPrefix(back.Title, "e|vil\n::") {
		t.Errorf("JSON has the title %q: %v", back.Title, err)
	}
}

func TestFlag(t *testing.T) {
	var flag report.Flag
	if flag.String() != "text" {
		t.Errorf("without the flag there is %s, want text", &flag)
	}
	for value, want := range map[string]string{
		"pdf": "there is no such format: choose from github, json, junit, markdown, text", "": "there is no such",
		"junit=": "a file has to follow the =",
	} {
		if err := flag.Set(value); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: the error is %v, want %s", value, err, want)
		}
	}
	dir := t.TempDir()
	xmlFile, lost := filepath.Join(dir, "a=b.xml"), filepath.Join(dir, "missing", "report")
	if err := flag.Set("json=" + lost); err == nil || !strings.Contains(err.Error(), lost) {
		t.Errorf("the error is %v, want one that names %s", err, lost)
	}
	if err := os.Mkdir(filepath.Dir(lost), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"json=" + lost, "junit=" + xmlFile, "human", "text=" + os.DevNull} {
		if err := flag.Set(value); err != nil {
			t.Fatal(err)
		}
	}
	for value, want := range map[string]string{
		"json=" + xmlFile: "another report goes to this file", "text=" + os.DevNull: "",
		"markdown=" + filepath.Join(dir, "missing", "..", "a=b.xml"): "another report goes to this file",
	} {
		if err := flag.Set(value); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: the error is %v, want %q", value, err, want)
		}
	}
	if err := os.Remove(filepath.Dir(lost)); err != nil { // which fails if the flag has left a file there
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	r := example()
	if err := flag.Write(&stdout, r.Writers()); err == nil || !strings.Contains(err.Error(), lost) {
		t.Errorf("the error is %v, want one that names %s", err, lost)
	}
	if content, err := os.ReadFile(xmlFile); err != nil || !bytes.Contains(content, []byte("<testsuites")) {
		t.Errorf("the file holds %q: %v", content, err)
	}
	if !strings.HasPrefix(stdout.String(), "What nodes need") {
		t.Errorf("standard output has %q", stdout.String())
	}
}

// Whoever reads the JSON of a report goes through its lists without a look at whether they are there.
func TestEmptyListsOfJSON(t *testing.T) {
	empty := report.Report{Title: "a table alone", Table: &report.Table{Columns: []string{"where"}}}
	if text := write(t, empty, "json"); strings.Contains(text, "null") {
		t.Errorf("a list is null:\n%s", text)
	}
	empty.Suites = []report.Suite{{Name: "none"}}
	if text := write(t, empty, "json"); strings.Contains(text, "null") {
		t.Errorf("a list is null:\n%s", text)
	}
}
