package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// writeJSON writes the report itself, with its summary. Lists are never null, so that programs can
// go through them.
func (r *Report) writeJSON(w io.Writer) error {
	whole := *r
	whole.Summary = r.summary()
	whole.Suites = append([]Suite{}, r.Suites...)
	for i, suite := range whole.Suites {
		whole.Suites[i].Cases = append([]Case{}, suite.Cases...)
	}
	if t := r.Table; t != nil {
		whole.Table = &Table{Columns: append([]string{}, t.Columns...), Rows: append([][]string{}, t.Rows...)}
	}
	return WriteJSON(w, whole)
}

// WriteJSON writes a value as indented JSON that is safe to show.
func WriteJSON(w io.Writer, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(foreign.JSON(text.Bytes()))
	return err
}
