package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/internal/plural"
)

// Report is the result of a run.
type Report struct {
	URL      string
	Level    Level
	Seed     uint64
	Duration time.Duration
	Checks   []Check
	Coverage []Cover
	Findings []Finding // what breaks the contract at the level of the run
	Beyond   []Finding // what breaks it at the level of the document alone
	Stopped  string    // why the run ended before all checks were made; empty when it did not

	all  []Finding
	left string // which nodes the run may have left registered, in words; empty for none
}

// Check is one part of a run.
type Check struct {
	Name       string
	Does       string // in words
	Calls      int
	Duration   time.Duration
	Unfinished string // why it did not come to its end, or did not run; empty when it did

	skipped bool // whether the options leave it out
}

// Cover is one rule for one field of a request, and how often it was tried.
type Cover struct {
	Operation, Field, Rule string
	Broken                 bool // whether it was broken, and not kept
	Calls                  int
}

// Conforms reports whether there is no finding that counts at the level of the run.
func (r *Report) Conforms() bool { return len(r.Findings) == 0 }

// counts reports whether a finding counts at the level of the run.
func (r *Report) counts(f Finding) bool { return f.Level == Nodes || r.Level == Document }

// settle sorts all findings into those that count and those that do not.
func (r *Report) settle() {
	r.Findings, r.Beyond = nil, nil
	for _, f := range r.all {
		if r.counts(f) {
			r.Findings = append(r.Findings, f)
		} else {
			r.Beyond = append(r.Beyond, f)
		}
	}
}

// cover notes that a rule was tried.
func (r *run) cover(op *operation, field, rule string, broken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried := Cover{Operation: op.id, Field: field, Rule: legible(rule), Broken: broken}
	for i, c := range r.report.Coverage {
		if c.Calls = 0; c == tried {
			r.report.Coverage[i].Calls++
			return
		}
	}
	tried.Calls = 1
	r.report.Coverage = append(r.report.Coverage, tried)
}

// Report returns the findings as they are shown, in all formats of this repository. With
// coverage, the report has a table of the tried rules by field instead of the checks.
func (r *Report) Report(coverage bool) *report.Report {
	shown := &report.Report{
		Title: fmt.Sprintf("Conformance of orchestratord at level %s, at %s, with the seed %d", r.Level, r.URL,
			r.Seed),
		Summary: r.Summary(),
		Table:   r.checksTable(),
	}
	if coverage {
		shown.Table = r.coverageTable()
	}
	for _, c := range r.Checks {
		shown.Suites = append(shown.Suites, r.suite(c))
	}
	if len(r.Beyond) > 0 {
		beyond := report.Suite{Name: "of what nodes can live with, but level document cannot"}
		for _, f := range r.Beyond {
			beyond.Cases = append(beyond.Cases, report.Case{Name: f.String(), Result: report.Pending})
		}
		shown.Suites = append(shown.Suites, beyond)
	}
	if r.left != "" {
		left := report.Case{Name: r.left, Result: report.Pending}
		shown.Suites = append(shown.Suites, report.Suite{Name: "removal of nodes", Cases: []report.Case{left}})
	}
	return shown
}

// suite returns a check, with each of its findings as a case.
func (r *Report) suite(c Check) report.Suite {
	suite := report.Suite{Name: c.Name}
	for _, f := range r.Findings {
		if f.Check == c.Name {
			seen := "seen " + plural.Count(f.Times, "time")
			if len(f.Replay) > 0 {
				seen += ", the first time by:"
			}
			details := append([]string{seen}, f.Replay...)
			suite.Cases = append(suite.Cases, report.Case{Name: f.String(), Result: report.Failed, Details: details})
		}
	}
	whole := report.Case{Name: c.Name + ": " + c.Does, Result: report.Passed, Duration: report.Seconds(c.Duration)}
	switch {
	case c.skipped || c.Unfinished != "" && c.Calls == 0:
		whole.Result, whole.Details = report.Skipped, []string{c.Unfinished}
		suite.Cases = append(suite.Cases, whole)
	case c.Unfinished != "":
		whole.Result, whole.Details = report.Undecided, []string{c.Unfinished}
		suite.Cases = append(suite.Cases, whole)
	case len(suite.Cases) == 0:
		suite.Cases = append(suite.Cases, whole)
	}
	return suite
}

func (r *Report) checksTable() *report.Table {
	table := &report.Table{Columns: []string{"check", "findings", "calls", "seconds", "what it does"}}
	for _, c := range r.Checks {
		found := 0
		for _, f := range r.Findings {
			if f.Check == c.Name {
				found++
			}
		}
		does := c.Does
		if c.skipped {
			does += " (skipped)"
		}
		row := []string{c.Name, strconv.Itoa(found), strconv.Itoa(c.Calls), report.Seconds(c.Duration).String(), does}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// coverageTable has a row for each rule of each field of each operation.
func (r *Report) coverageTable() *report.Table {
	table := &report.Table{Columns: []string{"operation", "field", "rule", "side", "calls"}}
	rows := slices.Clone(r.Coverage)
	slices.SortStableFunc(rows, func(a, b Cover) int {
		return cmp.Or(strings.Compare(a.Operation, b.Operation), strings.Compare(a.Field, b.Field))
	})
	for _, c := range rows {
		side := "kept"
		if c.Broken {
			side = "broken"
		}
		table.Rows = append(table.Rows, []string{c.Operation, c.Field, c.Rule, side, strconv.Itoa(c.Calls)})
	}
	return table
}

// Summary is the report on one line. It has the first finding, why the run ended early, and what it left.
func (r *Report) Summary() string {
	text := "orchestratord keeps the contract (" + r.extent() + ")"
	if !r.Conforms() {
		text = r.departure()
	}
	if r.left != "" {
		text += "; " + r.left
	}
	return text
}

// departure says how orchestratord departs from the contract.
func (r *Report) departure() string {
	ways := ""
	if n := len(r.Findings); n > 1 {
		ways = fmt.Sprintf(" in %s, first", plural.Count(n, "way"))
	}
	text := fmt.Sprintf("orchestratord departs from the contract%s: %s", ways, r.Findings[0])
	if r.Stopped != "" {
		text += "; the run ended early: " + r.Stopped
	}
	return text
}

// extent says how much was asked, and how far orchestratord is from all of the document.
func (r *Report) extent() string {
	calls := 0
	for _, c := range r.Checks {
		calls += c.Calls
	}
	return fmt.Sprintf("level %s, %s in %.1f s, %s of fields covered, %s from level %s alone",
		r.Level, plural.Count(calls, "call"), r.Duration.Seconds(), plural.Count(len(r.Coverage), "rule"),
		plural.Count(len(r.Beyond), "departure"), Document)
}
