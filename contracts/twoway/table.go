package twoway

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"github.com/llama-orch/node-registration/contracts/report"
)

// Writers returns the writers of the report by format.
func (r *Report) Writers() report.Writers {
	found := report.Report{Title: r.title(), Summary: r.summary(), Table: &report.Table{Columns: columns()}}
	for _, row := range r.Coverage {
		found.Table.Rows = append(found.Table.Rows, row.cells())
	}
	suite := report.Suite{Name: "Findings"}
	for _, f := range r.Findings {
		suite.Cases = append(suite.Cases,
			report.Case{Name: f.text(), Result: report.Failed, File: f.File, Line: f.Line})
	}
	found.Suites = append(found.Suites, suite)
	writers := found.Writers()
	writers["json"] = func(w io.Writer) error { return report.WriteJSON(w, r) }
	return writers
}

func (r *Report) title() string {
	return fmt.Sprintf("What %s needs of %s, and %s", r.Consumer, r.Provider, r.Document)
}

func columns() []string {
	return []string{"operation", "status", "document", "pact", "verified", "exempt"}
}

func (r Row) cells() []string {
	document, pact, verified := "no", "-", "-"
	if r.Declared {
		document = "yes"
	}
	if r.Line > 0 {
		document = "line " + strconv.Itoa(r.Line)
	}
	if n := len(r.Interactions); n > 0 {
		pact = strconv.Itoa(n)
	}
	if v := r.Verified; v != nil {
		verified = fmt.Sprintf("%d of %d", v.Passed, len(r.Interactions))
		if v.Skipped > 0 {
			verified += fmt.Sprintf(", %d skipped", v.Skipped)
		}
	}
	return []string{r.Operation, r.Status, document, pact, verified, cmp.Or(r.Exempt, "-")}
}
