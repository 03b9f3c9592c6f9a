package exchange

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
)

// Answer is what the server is about to answer. It is held back until it is known to be good.
type Answer struct {
	header http.Header // the connection's own
	given  []string    // the names of headers that were there before the answer
	status int
	body   bytes.Buffer
	rest   func(io.Writer) error // writes what comes after body, if set
	typed  bool                  // whether the body is a value that has been checked
}

// Header returns the headers of the answer, as http.ResponseWriter requires.
func (a *Answer) Header() http.Header { return a.header }

// WriteHeader sets the status, unless there is one.
func (a *Answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write adds to the body.
func (a *Answer) Write(text []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(text)
}

// Status returns the status, which is 0 if there is no answer.
func (a *Answer) Status() int { return a.status }

// Body returns the body, as far as it is held back. It is for reading only.
func (a *Answer) Body() []byte { return a.body.Bytes() }

// BodyLength returns how many bytes the body has in full, which may be more than are held back.
func (x *Exchange) BodyLength() int { return max(x.AnswerBytes, x.Answer.body.Len()) }

// IsTyped reports whether the body is of WriteValue or WriteText, which have checked it.
func (a *Answer) IsTyped() bool { return a.typed }

var _ api.ValueWriter = (*Exchange)(nil)

// WriteValue answers with the JSON of a value of the document's. One that breaks the document is
// an error, and nothing is written.
func (x *Exchange) WriteValue(status int, contentType string, value any) error {
	if x.IsHeldToDocument() {
		if err := wire.Check(value); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	text, err := wire.Append(x.Buffer(), value)
	if err != nil {
		return err
	}
	x.WriteText(status, contentType, append(text, '\n'), nil)
	return nil
}

// Buffer returns an empty buffer for the text of WriteText.
func (a *Answer) Buffer() []byte { return a.body.AvailableBuffer() }

// WriteText answers with the text of a value that has been checked. If the value is too long to
// be held back, rest writes what comes after the text. Its error is a fault of the server's.
func (a *Answer) WriteText(status int, contentType string, text []byte, rest func(io.Writer) error) {
	a.header["Content-Type"] = []string{contentType} // canonical already
	a.WriteHeader(status)
	a.body.Write(text)
	a.typed, a.rest = true, rest
}

// Complete adds the rest to the body.
func (a *Answer) Complete() error {
	rest := a.rest
	a.rest = nil
	if rest == nil {
		return nil
	}
	return rest(&a.body)
}

// ReplaceBody puts another body in the place of the answer's.
func (x *Exchange) ReplaceBody(text string) {
	x.AnswerBytes = 0
	x.Answer.body.Reset()
	x.Answer.body.WriteString(text)
}

// Discard drops the answer and all its headers, for a connection that is to break.
func (a *Answer) Discard() { a.begin(http.Header{}) }

// begin resets the answer, keeps its buffer, and notes which headers are already set.
func (a *Answer) begin(header http.Header) {
	given := a.given[:0]
	for name := range header {
		given = append(given, name)
	}
	*a = Answer{header: header, given: given, body: a.body}
	if a.body.Reset(); a.body.Cap() > KeptBuffer {
		a.body = bytes.Buffer{}
	}
}

// beginAgain forgets what the answer was to be.
func (a *Answer) beginAgain() {
	maps.DeleteFunc(a.header, func(name string, _ []string) bool { return !slices.Contains(a.given, name) })
	a.begin(a.header)
}

// SendTo sends the answer. The error is that of the rest: that a client has gone is none.
func (a *Answer) SendTo(client http.ResponseWriter) error {
	SetDeadline(client)
	client.WriteHeader(a.status)
	if a.rest == nil && a.body.Len() <= pieceSize {
		_, _ = client.Write(a.body.Bytes())
		return nil
	}
	pieces := NewPieces(client)
	defer pieces.End()
	if _, err := pieces.Write(a.body.Bytes()); err != nil || a.rest == nil {
		return nil
	}
	return a.rest(pieces)
}
