package mockserver

import (
	"net/http"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/mockserver/internal/document"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// quoted is how many characters of what a client sent an answer or a log repeats.
const quoted = 128

// quote returns what may be repeated of a text that a client sent: not too much, and no
// credentials (CLOUD-4013). Those are masked first, as what a cut leaves of one could not
// be recognised.
func quote(r *http.Request, text string) string {
	return cut(journal.Masked(text, r.Header), quoted)
}

// inQuotes returns a text as a departure shows it: what is not printable is named, so that
// a terminal shows it the way that the control API states it.
func inQuotes(text string) string { return `"` + foreign.Line(text) + `"` }

// cut returns the first runes of a text that is too long, with an ellipsis as the last.
func cut(text string, most int) string { return document.Cut(text, most) }
