package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// writeText writes the report for a terminal.
func (r *Report) writeText(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", foreign.Line(r.Title))
	if err := r.Table.writeText(&text); err != nil {
		return err
	}
	for _, s := range r.Suites {
		cases := r.shown(s)
		if len(r.Suites) > 1 && len(cases) > 0 {
			fmt.Fprintf(&text, "%s\n", foreign.Line(s.Name))
		}
		for _, c := range cases {
			c.writeText(&text)
		}
		if len(cases) > 0 {
			fmt.Fprintln(&text)
		}
	}
	fmt.Fprintln(&text, foreign.Line(r.summary()))
	_, err := io.WriteString(w, text.String())
	return err
}

const indent = "         " // wider than most results

// writeText writes a case, and its details below it, each line indented.
func (c Case) writeText(text *strings.Builder) {
	result := string(c.Result)
	if c.Result == Failed || c.Result == Undecided {
		result = strings.ToUpper(result)
	}
	fmt.Fprintf(text, "%-*s %s\n", len(indent)-1, result, foreign.Line(c.Name+c.place()))
	for _, detail := range c.Details {
		fmt.Fprintf(text, "%s%s\n", indent, strings.ReplaceAll(foreign.Block(detail), "\n", "\n"+indent))
	}
}

func (t *Table) writeText(text *strings.Builder) error {
	if t == nil {
		return nil
	}
	columns := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	row := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(columns, "\t")
			}
			fmt.Fprint(columns, foreign.Line(cell))
		}
		fmt.Fprintln(columns)
	}
	row(strings.Split(strings.ToUpper(strings.Join(t.Columns, "\t")), "\t"))
	for _, cells := range t.Rows {
		row(cells)
	}
	fmt.Fprintln(columns)
	return columns.Flush()
}
