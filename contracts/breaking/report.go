package breaking

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintln(&out, r.summary())
	for _, c := range r.Changes {
		if c.Breaking {
			fmt.Fprintf(&out, "\nbreaking: %s (%s)\n    %s%s\n    %s\n", c.What, c.Rule, c.where(), r.place(c), c.Why)
		}
	}
	heading := "\nnot breaking:\n"
	for _, c := range r.Changes {
		if !c.Breaking {
			fmt.Fprintf(&out, "%s    %s: %s\n", heading, c.where(), c.What)
			heading = ""
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteMarkdown writes the report for the summary of a CI job.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "### %s\n\n", r.summary())
	for _, c := range r.Changes {
		if c.Breaking {
			fmt.Fprintf(&out, "- **breaking**: %s: %s%s. %s\n", c.where(), c.What, r.place(c), c.Why)
		} else {
			fmt.Fprintf(&out, "- %s: %s\n", c.where(), c.What)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteGitHub writes the breaking changes as annotations of a GitHub Actions job.
func (r *Report) WriteGitHub(w io.Writer) error {
	var out strings.Builder
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, c := range r.Changes {
		if c.Breaking {
			place := "file=" + r.Document
			if c.Line > 0 {
				place += fmt.Sprintf(",line=%d", c.Line)
			}
			message := fmt.Sprintf("%s: %s. %s", c.where(), c.What, c.Why)
			fmt.Fprintf(&out, "::error %s,title=Breaking change::%s\n", place, escape.Replace(message))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

func (r *Report) summary() string {
	breaking := 0
	for _, c := range r.Changes {
		if c.Breaking {
			breaking++
		}
	}
	return fmt.Sprintf("%s against %s: %d breaking changes, %d others", r.Document, r.Base, breaking, len(r.Changes)-breaking)
}

func (r *Report) place(c Change) string {
	if c.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", r.Document, c.Line)
}

func (c Change) where() string {
	if len(c.Where) == 0 {
		return "the document"
	}
	return strings.Join(c.Where, ", ")
}
