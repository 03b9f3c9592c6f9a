package exchange

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// ReadBody reads the body of the request from a reader, into a buffer that is used again.
func (x *Exchange) ReadBody(from io.Reader) (err error) {
	x.RequestBody, err = readAll(x.RequestBody[:0], from)
	return err
}

// readAll reads to the end, into a buffer if that is large enough.
func readAll(buffer []byte, from io.Reader) ([]byte, error) {
	for {
		if len(buffer) == cap(buffer) {
			buffer = slices.Grow(buffer, max(1<<10, len(buffer)))
		}
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if err == io.EOF {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
}

// RewindBody has the body of the request, as far as it was read, read again: until then, nothing
// of it counts as read.
func (x *Exchange) RewindBody() {
	body, text := x.Request.Body, slices.Clone(x.RequestBody)
	x.Request.Body = rewound{io.MultiReader(bytes.NewReader(text), body), body}
	x.RequestBody = x.RequestBody[:0]
}

type rewound struct {
	io.Reader
	io.Closer
}

// DropBody gives back the memory of a body that nobody will read. The journal keeps no more than
// what is left.
func (x *Exchange) DropBody() {
	x.RequestBytes = len(x.RequestBody)
	x.RequestBody = slices.Clone(x.RequestBody[:min(x.RequestBytes, KeptBuffer)])
	x.Request.Body = http.NoBody
}

// SetBody puts the value of the request's body, which has been read, in its place. It is vetted
// if the document names everything in it.
func (x *Exchange) SetBody(value any, vetted bool) {
	x.body = checkedBody{http.NoBody, value}
	x.Vetted = vetted
	x.Request.Body = &x.body
}

// Value returns the value of the request's body; nil if there is none.
func (x *Exchange) Value() any { return x.body.value }

// checkedBody is a request body that has been read and checked. The generated server takes its
// value, and nothing else: there is nothing left to read.
type checkedBody struct {
	io.ReadCloser
	value any
}

// ValidatedValue returns the value of the body. The name is the generated server's.
func (b checkedBody) ValidatedValue() any { return b.value }

// TooLarge returns the problem of a body that is longer than a limit in bytes.
func TooLarge(limit int64) error {
	return NewProblem(nodeapi.ProblemCodeBodyTooLarge, "the body is larger than %d bytes", limit)
}

// Unreadable returns the problem of a body that cannot be read.
func Unreadable(err error) error {
	if known, ok := errors.AsType[*Problem](err); ok {
		return known
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge(tooLarge.Limit)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return NewProblem(nodeapi.ProblemCodeMalformedBody, "the body ended early")
	}
	return NewProblem(nodeapi.ProblemCodeMalformedBody, "the body cannot be read: %v", err)
}
