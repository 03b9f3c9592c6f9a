//go:build pact

package provider

import (
	"fmt"
	"io"
	"strings"

	"github.com/llama-orch/node-registration/contracts/results"
)

// WriteGitHub writes what failed, and how much was skipped, as annotations of a
// GitHub workflow.
func (r *Report) WriteGitHub(w io.Writer) error {
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	var text strings.Builder
	for _, i := range r.Interactions {
		if i.Result == results.Failed {
			message := i.Description + "\n" + strings.Join(i.Details, "\n")
			fmt.Fprintf(&text, "::error title=%s breaks the contract::%s\n", r.Provider, escape.Replace(message))
		}
	}
	fmt.Fprintf(&text, "::notice title=Pact verification of %s::%s\n", r.Provider, r.summary())
	_, err := io.WriteString(w, text.String())
	return err
}
