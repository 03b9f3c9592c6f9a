//go:build pact

package provider

import (
	"fmt"
	"io"
	"strings"

	"github.com/llama-orch/node-registration/contracts/results"
)

// WriteText writes the report for a person to read.
func (r *Report) WriteText(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "What %s needs of %s, at %s\n\n", r.Consumer, r.Provider, r.URL)
	for _, i := range r.Interactions {
		result := string(i.Result)
		if i.Result == results.Failed {
			result = "FAILED"
		}
		fmt.Fprintf(&text, "%-8s %s\n", result, i.Description)
		for _, detail := range i.Details {
			fmt.Fprintf(&text, "         %s\n", strings.ReplaceAll(detail, "\n", "\n         "))
		}
	}
	fmt.Fprintf(&text, "\n%s\n", r.summary())
	_, err := io.WriteString(w, text.String())
	return err
}

func (r *Report) summary() string {
	return fmt.Sprintf("%d of %d interactions passed, %d failed, %d skipped",
		r.count(results.Passed), len(r.Interactions), r.count(results.Failed), r.count(results.Skipped))
}
