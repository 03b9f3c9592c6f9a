package twoway

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the report for a terminal.
func (r *Report) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s\n\n%s\n", r.title(), strings.ToUpper(strings.Join(columns(), "\t")))
	for _, row := range r.Coverage {
		fmt.Fprintln(out, strings.Join(row.cells(), "\t"))
	}
	fmt.Fprintln(out)
	for _, finding := range r.Findings {
		fmt.Fprintln(out, finding)
	}
	fmt.Fprintln(out, r.summary())
	return out.Flush()
}

// WriteMarkdown writes the report for the summary of a CI job.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var out strings.Builder
	line := func(cells []string) {
		for _, cell := range cells {
			fmt.Fprintf(&out, "| %s ", strings.ReplaceAll(cell, "|", `\|`))
		}
		out.WriteString("|\n")
	}
	fmt.Fprintf(&out, "### %s\n\n", r.title())
	line(columns())
	line(slices.Repeat([]string{"---"}, len(columns())))
	for _, row := range r.Coverage {
		line(row.cells())
	}
	fmt.Fprintf(&out, "\n%s\n\n", r.summary())
	for _, finding := range r.Findings {
		fmt.Fprintf(&out, "- %s\n", finding.format("**%s**", "`%s`"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *Report) title() string {
	return fmt.Sprintf("What %s needs of %s, and %s", r.Consumer, r.Provider, r.Document)
}

func columns() []string {
	return []string{"operation", "status", "document", "pact", "verified", "exempt"}
}

func (r Row) cells() []string {
	document, pact, verified := "no", "-", "-"
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
