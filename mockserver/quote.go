package mockserver

import (
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// quoted is how many characters of what a client sent an answer or a log repeats.
const quoted = 128

// quote returns what may be repeated of a text that a client sent: not too much, and no
// credentials (CLOUD-4013). Those are masked first, as what a cut leaves of one could not
// be recognised.
func quote(r *http.Request, text string) string {
	return spec.Cut(journal.Masked(text, r.Header), quoted)
}
