package mockserver

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
)

// answer is what the server is about to answer. It is held back until it is known to
// be good.
type answer struct {
	header http.Header // the connection's own
	given  []string    // the names of headers that were there before the answer
	status int
	body   bytes.Buffer

	// rest, if set, writes what comes after body, for an answer that is too long to be
	// held back. An error is a fault of the server's.
	rest func(io.Writer) error

	unchecked bool // whether values may break the document
	typed     bool // whether the body is a value that has been checked
}

var _ api.ValueWriter = (*answer)(nil)

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(text []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(text)
}

// WriteValue answers with the JSON of a value of the document's. One that breaks the
// document is an error, and nothing is written.
func (a *answer) WriteValue(status int, contentType string, value any) error {
	if !a.unchecked {
		if err := wire.Check(value); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	text, err := wire.Append(a.body.AvailableBuffer(), value)
	if err != nil {
		return err
	}
	a.header.Set("Content-Type", contentType)
	a.WriteHeader(status)
	a.body.Write(append(text, '\n'))
	a.typed = true
	return nil
}

// begin resets the answer, keeps its buffer, and notes which headers are already set.
func (a *answer) begin(header http.Header) {
	given := a.given[:0]
	for name := range header {
		given = append(given, name)
	}
	*a = answer{header: header, given: given, body: a.body}
	if a.body.Reset(); a.body.Cap() > keptBuffer {
		a.body = bytes.Buffer{}
	}
}

// beginAgain forgets what the answer was to be.
func (a *answer) beginAgain() {
	maps.DeleteFunc(a.header, func(name string, _ []string) bool { return !slices.Contains(a.given, name) })
	a.begin(a.header)
}

// sendTo sends the answer. The error is that of what makes the rest: that a client has
// gone is none.
func (a *answer) sendTo(client http.ResponseWriter) error {
	setDeadline(client)
	client.WriteHeader(a.status)
	if a.rest == nil && a.body.Len() <= pieceSize {
		_, _ = client.Write(a.body.Bytes())
		return nil
	}
	pieces := newPiecewise(client)
	defer pieces.end()
	if _, err := pieces.Write(a.body.Bytes()); err != nil || a.rest == nil {
		return nil
	}
	return a.rest(pieces)
}

// checkAnswer returns how the answer breaks the document, unless nobody asks. A body that has
// been checked needs no second look, if the generated server has chosen status and content type
// and there is no header but the correlation id, which is valid.
func (s *Server) checkAnswer(x *exchange) error {
	if x.settings.validation == Off || x.typed && x.operation.IsPlain(x.status) {
		return nil
	}
	return spec.Nodes().CheckAnswer(x.operation, x.status, x.header, x.body.Bytes())
}
