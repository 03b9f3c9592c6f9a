package breaking

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/internal/foreign"
)

// Writers returns the writers of the report by format. What breaks one of the parties
// counts as failed; the rest is listed.
func (r *Report) Writers(parties ...Party) report.Writers {
	found := report.Report{Title: r.Document + " against " + r.Base, Summary: r.summary()}
	for _, section := range r.sections() {
		suite := report.Suite{Name: section.title}
		for _, change := range section.changes {
			suite.Cases = append(suite.Cases, change.testCase(r.Document, parties))
		}
		found.Suites = append(found.Suites, suite)
	}
	writers := found.Writers()
	writers["json"] = func(w io.Writer) error { return report.WriteJSON(w, r) }
	writers["markdown"] = r.writeChangelog
	return writers
}

func (c Change) testCase(document string, parties []Party) report.Case {
	made := report.Case{
		Name: fmt.Sprintf("%s (%s)", c.What, c.Rule), Result: report.Passed, Details: []string{c.where()}, Line: c.Line,
	}
	if c.Line > 0 || len(c.Breaks) > 0 {
		made.File = cmp.Or(c.File, document)
	}
	switch {
	case c.Accepted != "":
		made.Result = report.Pending
		made.Details = append(made.Details, "accepted: "+c.Accepted)
	case slices.ContainsFunc(c.Breaks, func(p Party) bool { return slices.Contains(parties, p) }):
		made.Result = report.Failed
		made.Details = append(made.Details, c.Why)
	case len(c.Breaks) > 0:
		made.Result = report.Pending
		made.Details = append(made.Details, c.Why)
	}
	return made
}

// section is a part of the report: the changes with the same consequence.
type section struct {
	title   string
	changes []Change
}

// sections returns the sections that are not empty.
func (r *Report) sections() []section {
	var found []section
	for _, change := range r.Changes {
		title := change.title()
		i := slices.IndexFunc(found, func(s section) bool { return s.title == title })
		if i < 0 {
			i = len(found)
			found = append(found, section{title: title})
		}
		found[i].changes = append(found[i].changes, change)
	}
	if len(r.Idle) > 0 {
		idle := section{title: "Accepted for nothing"}
		for _, entry := range r.Idle {
			idle.changes = append(idle.changes, Change{
				Breaks: []Party{OldNodes, NewNodes}, Rule: "accept-list", What: entry,
				Why: "No change is like that; delete the entry.",
			})
		}
		found = append(found, idle)
	}
	return found
}

// title says whom a change breaks.
func (c Change) title() string {
	switch {
	case c.Accepted != "":
		return "Breaks that were agreed on"
	case len(c.Breaks) == 2:
		return "Breaks old nodes before a new orchestratord, and new nodes before an old one"
	case slices.Contains(c.Breaks, OldNodes):
		return "Breaks old nodes before a new orchestratord"
	case slices.Contains(c.Breaks, NewNodes):
		return "Breaks new nodes before an old orchestratord"
	case slices.Contains(c.Breaks, Users):
		return "Takes away what was optional"
	}
	return "Breaks nobody"
}

// writeChangelog writes the changes for the people who keep to the document.
func (r *Report) writeChangelog(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "### %s\n\n%s\n", foreign.Markdown(r.Document+" against "+r.Base), foreign.Markdown(r.summary()))
	for _, section := range r.sections() {
		fmt.Fprintf(&out, "\n#### %s\n\n", section.title)
		for _, c := range section.changes {
			line := fmt.Sprintf("%s: %s%s", c.where(), c.What, r.place(c))
			fmt.Fprintf(&out, "- %s\n",
				foreign.Markdown(strings.TrimSuffix(strings.Join([]string{line, c.Why}, ". "), ". ")))
			if c.Accepted != "" {
				fmt.Fprintf(&out, "  <br>%s\n", foreign.Markdown("Accepted: "+c.Accepted))
			}
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *Report) summary() string {
	count := func(matches func(Change) bool) int {
		n := 0
		for _, c := range r.Changes {
			if matches(c) {
				n++
			}
		}
		return n
	}
	breaks := func(p Party) func(Change) bool {
		return func(c Change) bool { return c.Accepted == "" && slices.Contains(c.Breaks, p) }
	}
	text := fmt.Sprintf("changes that break old nodes: %d, new nodes: %d, nobody: %d",
		count(breaks(OldNodes)), count(breaks(NewNodes)), count(func(c Change) bool { return len(c.Breaks) == 0 }))
	if lost := count(breaks(Users)); lost > 0 {
		text += fmt.Sprintf("; taken away though optional: %d", lost)
	}
	if accepted := count(func(c Change) bool { return c.Accepted != "" }); accepted > 0 {
		text += fmt.Sprintf("; agreed on: %d", accepted)
	}
	return text
}

func (r *Report) place(c Change) string {
	if c.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", cmp.Or(c.File, r.Document), c.Line)
}

func (c Change) where() string {
	if len(c.Where) == 0 {
		return "the document"
	}
	return strings.Join(c.Where, ", ")
}
