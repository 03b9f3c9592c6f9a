package fleet

import (
	"strings"

	"github.com/llama-orch/node-registration/contracts/report"
)

// Writers returns a writer for each format of a flag --report. Text has the figures, JSON is what
// Merge reads, and the other formats have a case for each promise.
func (r *Report) Writers() report.Writers {
	whole := report.Report{Title: strings.Join(r.titles(), "; "), Unit: "promises"}
	cases := report.Suite{Name: "promises of a fleet"}
	for _, p := range r.promises() {
		cases.Cases = append(cases.Cases, p.checked())
	}
	whole.Suites = append(whole.Suites, cases)
	writers := whole.Writers()
	writers["text"], writers["json"] = r.writeText, r.writeJSON
	return writers
}

// checked returns the promise as a case of a report.
func (p promise) checked() report.Case {
	switch {
	case p.breach != "":
		return report.Case{Name: p.name, Result: report.Failed, Details: []string{p.breach}}
	case p.unsaid:
		return report.Case{Name: p.name, Result: report.Skipped, Details: []string{"orchestratord could not be asked"}}
	}
	return report.Case{Name: p.name, Result: report.Passed}
}
