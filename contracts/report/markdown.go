package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// writeMarkdown writes the report for the summary of a CI job.
func (r *Report) writeMarkdown(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "### %s\n\n", foreign.Markdown(r.Title))
	if r.Table != nil {
		r.Table.writeMarkdown(&text)
	}
	fmt.Fprintf(&text, "%s\n\n", foreign.Markdown(r.summary()))
	for _, s := range r.Suites {
		cases := r.shown(s)
		if len(r.Suites) > 1 && len(cases) > 0 {
			fmt.Fprintf(&text, "#### %s\n\n", foreign.Markdown(s.Name))
		}
		for _, c := range cases {
			c.writeMarkdown(&text)
		}
		if len(cases) > 0 {
			fmt.Fprintln(&text)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// writeMarkdown writes a case as an item of a list, with its details line by line
// below it.
func (c Case) writeMarkdown(text *strings.Builder) {
	result := string(c.Result)
	if c.Result == Failed || c.Result == Undecided {
		result = "**" + result + "**"
	}
	fmt.Fprintf(text, "- %s: %s\n", result, foreign.Markdown(c.Name+c.place()))
	for _, detail := range c.Details {
		for line := range strings.Lines(detail) {
			fmt.Fprintf(text, "  <br>%s\n", foreign.Markdown(strings.TrimRight(line, "\r\n")))
		}
	}
}

func (t *Table) writeMarkdown(text *strings.Builder) {
	row := func(cells []string, show func(string) string) {
		for _, cell := range cells {
			fmt.Fprintf(text, "| %s ", show(cell))
		}
		text.WriteString("|\n")
	}
	row(t.Columns, foreign.Markdown)
	row(t.Columns, func(string) string { return "---" })
	for _, cells := range t.Rows {
		row(cells, foreign.Markdown)
	}
	fmt.Fprintln(text)
}
