package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// levels are the annotation levels of GitHub by result. Other results make no annotation.
var levels = map[Result]string{Failed: "error", Undecided: "error", Pending: "warning"}

// writeGitHub writes what is wrong, and the summary, as annotations of a GitHub workflow.
func (r *Report) writeGitHub(w io.Writer) error {
	var text strings.Builder
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			if level := levels[c.Result]; level != "" {
				fmt.Fprintf(&text, "::%s %stitle=%s::%s\n", level, c.properties(), foreign.Property(s.Name),
					foreign.Annotation(strings.Join(append([]string{c.Name}, c.Details...), "\n")))
			}
		}
	}
	fmt.Fprintf(&text, "::notice title=%s::%s\n", foreign.Property(r.Title), foreign.Annotation(r.summary()))
	_, err := io.WriteString(w, text.String())
	return err
}

// properties returns where a case's annotation belongs, with a comma behind.
func (c Case) properties() string {
	switch {
	case c.File == "":
		return ""
	case c.Line == 0:
		return fmt.Sprintf("file=%s,", foreign.Property(c.File))
	}
	return fmt.Sprintf("file=%s,line=%d,", foreign.Property(c.File), c.Line)
}
