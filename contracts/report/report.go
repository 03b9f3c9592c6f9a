// Package report writes what a check found, in the formats of this repository's programs. They
// are text for a terminal, json for programs, and junit for CI systems. Markdown is for the
// summary of a CI job, and github for annotations of a GitHub workflow.
//
//	var reports report.Flag // --report FORMAT[=FILE], repeatable
//	flags.Var(&reports, "report", report.Usage)
//	...
//	found := report.Report{Title: "Conformance of orchestratord, at " + url}
//	found.Suites = append(found.Suites, report.Suite{Name: "registerNode", Cases: []report.Case{
//		{Name: "an id of 128 characters is accepted", Result: report.Passed},
//		{Name: "a body without a node_id is refused", Result: report.Failed,
//			Details: []string{"expected 422, got 200", "curl -X POST …"}},
//	}})
//	err := reports.Write(stdout, found.Writers())
//
// Callers pass text as it is, even from outside: the writers make it safe to show.
package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Report is the result of a check.
type Report struct {
	// Title says in one line what was checked, and against what.
	Title string `json:"title"`
	// Summary is the result in one line. Empty means a count of the cases, which Unit
	// names, such as "interactions".
	Summary string  `json:"summary"`
	Unit    string  `json:"-"`
	Suites  []Suite `json:"suites"`
	// Table is shown by the formats text and markdown, in the place of the cases that
	// passed. Nil means that these are listed.
	Table *Table `json:"table,omitempty"`
}

// Suite is a group of cases.
type Suite struct {
	Name  string `json:"name"`
	Cases []Case `json:"cases"`
}

// Case is one thing that was checked.
type Case struct {
	// Name says in one line what was checked.
	Name   string `json:"name"`
	Result Result `json:"result"`
	// Details are what is wrong, or why the case was skipped. Each may have several
	// lines.
	Details []string `json:"details,omitempty"`
	// File and Line are where to look, such as the line of a document that is
	// contradicted. They are empty and 0 where there is no such place.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Duration is how long the case took. In JSON it is seconds.
	Duration Seconds `json:"seconds"`
}

// Result is what became of a case.
type Result string

const (
	// Passed means that it is as it should be.
	Passed Result = "passed"
	// Failed means that it is not.
	Failed Result = "failed"
	// Undecided means that something kept the check from deciding. Junit calls it an error.
	Undecided Result = "undecided"
	// Pending means that it is not as it should be, and need not be yet.
	Pending Result = "pending"
	// Skipped means that it was not checked.
	Skipped Result = "skipped"
)

// Table is a table with a row of headings.
type Table struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Seconds is a duration that is a number of seconds in JSON.
type Seconds time.Duration

// MarshalJSON writes milliseconds as decimals.
func (s Seconds) MarshalJSON() ([]byte, error) { return []byte(s.String()), nil }

// String returns the seconds with three decimals, such as 0.250.
func (s Seconds) String() string { return fmt.Sprintf("%.3f", time.Duration(s).Seconds()) }

// Kept reports whether nothing failed, and nothing is undecided.
func (r *Report) Kept() bool { return r.Count(Failed)+r.Count(Undecided) == 0 }

// Count returns how many cases have a result.
func (r *Report) Count(result Result) int {
	count := 0
	for _, s := range r.Suites {
		count += s.count(result)
	}
	return count
}

func (s Suite) count(result Result) int {
	count := 0
	for _, c := range s.Cases {
		if c.Result == result {
			count++
		}
	}
	return count
}

// summary returns the result in one line. It leaves out the rare results that no case has.
func (r *Report) summary() string {
	total := 0
	for _, s := range r.Suites {
		total += len(s.Cases)
	}
	counts := []string{
		fmt.Sprintf("%d of %d %s passed", r.Count(Passed), total, cmp.Or(r.Unit, "cases")),
		fmt.Sprintf("%d failed", r.Count(Failed)),
	}
	for _, rare := range []Result{Undecided, Pending} {
		if n := r.Count(rare); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, rare))
		}
	}
	counts = append(counts, fmt.Sprintf("%d skipped", r.Count(Skipped)))
	return cmp.Or(r.Summary, strings.Join(counts, ", "))
}

// shown returns the cases that a person has to see.
func (r *Report) shown(s Suite) []Case {
	var shown []Case
	for _, c := range s.Cases {
		if r.Table == nil || c.Result != Passed {
			shown = append(shown, c)
		}
	}
	return shown
}

// place returns where to look, in brackets and after a blank.
func (c Case) place() string {
	switch {
	case c.File == "":
		return ""
	case c.Line == 0:
		return fmt.Sprintf(" (%s)", c.File)
	}
	return fmt.Sprintf(" (%s:%d)", c.File, c.Line)
}
