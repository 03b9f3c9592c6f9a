package mockserver

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// checkRequest holds the body of a request to the document, and leaves what keeps it for
// the handler.
func (s *Server) checkRequest(x *exchange) error {
	if x.operation.Bodies == nil {
		return nil
	}
	return s.readBody(x, x.request)
}

// readBody reads and checks the body of a request, and leaves its value for the handler. A body
// with several faults is refused for the one that costs least to find: 415, 413, 400, 422.
func (s *Server) readBody(x *exchange, r *http.Request) (err error) {
	schema, unfit := schemaFor(r, x.operation.Bodies)
	if unfit != nil && (x.settings.validation != Off || unfit.encoded) {
		return unfit.problem()
	}
	x.requestBody, err = readAll(x.requestBody[:0], s.limited(x, r))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// No status would do: a node takes one below 500 for final, and the line is only slow.
		s.logSlow(r, len(x.requestBody))
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		return unreadable(err)
	}
	if x.large { // the deadline was for the body alone
		_ = http.NewResponseController(x.client).SetReadDeadline(time.Time{})
	}
	value, good := wire.Decode(x.operation.ID, x.requestBody)
	if x.input = value; !good {
		if value, err = s.lookClosely(x, schema); err != nil {
			return err
		}
	}
	if registration, ok := value.(*nodeapi.RegisterRequest); ok {
		x.nodeID = registration.NodeID
	}
	x.setBody(value)
	return nil
}

// limited returns the body of a request up to the limit, as far as there is room for it. One
// that says how long it is gets no longer while it is read.
func (s *Server) limited(x *exchange, r *http.Request) io.Reader {
	if 0 < r.ContentLength && r.ContentLength <= min(s.bodyLimit, largeBody) {
		return r.Body
	}
	return &roomyReader{Reader: http.MaxBytesReader(x.client, r.Body, s.bodyLimit), makeRoom: func() error { return s.makeRoom(x, r) }}
}

// unreadable returns the problem of a body that cannot be read.
func unreadable(err error) error {
	if known := (*problem)(nil); errors.As(err, &known) {
		return known
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return newProblem(nodeapi.ProblemCodeBodyTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return newProblem(nodeapi.ProblemCodeMalformedBody, "the body ended early")
	}
	return newProblem(nodeapi.ProblemCodeMalformedBody, "the body cannot be read: %v", err)
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

// lookClosely judges a body once it has a place: few are judged at the same time.
func (s *Server) lookClosely(x *exchange, schema *spec.Schema) (any, error) {
	if !s.closeLooks.take(x.request.Context()) {
		panic(http.ErrAbortHandler) // the client has gone
	}
	defer s.closeLooks.leave()
	return decodeSlow(x, schema)
}

// decodeSlow checks a body that is not obviously valid, and returns its value. With validation
// Report that is what of it keeps the contract. It notes how the body departs from the
// contract. A server without validation asks for JSON alone.
func decodeSlow(x *exchange, schema *spec.Schema) (any, error) {
	if x.settings.validation == Off {
		value, err := spec.Decode(x.requestBody)
		if err != nil {
			return nil, newProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
		}
		return value, nil
	}
	value, twice, err := spec.DecodeBody(x.requestBody, schema)
	if err != nil {
		x.depart(spec.Malformed(x.requestBody, err))
		return nil, newProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
	}
	x.depart(spec.Twice(twice)...)
	return checkValue(x, schema, value)
}

// checkValue does what decodeSlow does, for a body that is JSON.
func checkValue(x *exchange, schema *spec.Schema, value any) (any, error) {
	doc := spec.Nodes()
	broken := doc.CheckBody(schema, value, len(x.requestBody))
	if id, names := doc.NodeInBody(schema, value); names {
		x.nodeID = spec.FitNodeID(id)
	}
	x.depart(doc.Departures(schema, value, broken, x.quote)...)
	if broken == nil {
		return value, nil
	}
	if x.settings.validation == Report {
		if repaired, ok := doc.Repair(schema, value); ok {
			return repaired, nil
		}
	}
	return nil, violationProblem(doc.Violations(broken))
}

// violationProblem returns the problem of a body with these violations. Its detail has
// the first, for those who look no further, such as logs.
func violationProblem(violations []nodeapi.Violation) *problem {
	first := violations[0]
	p := newProblem(nodeapi.ProblemCodeContractViolation, "the body breaks the contract at %q: %s", first.Pointer, first.Detail)
	if more := len(violations) - 1; more > 0 {
		p.detail += fmt.Sprintf(" (%d more)", more)
	}
	p.violations = violations
	return p
}

// checkedBody is a request body that has been read and checked. The generated server
// takes its value, and nothing else: there is nothing left to read.
type checkedBody struct {
	io.ReadCloser
	value any
}

// ValidatedValue returns the value of the body. The name is the generated server's.
func (b checkedBody) ValidatedValue() any { return b.value }

// setBody puts the value of the request's body, which has been read, in its place.
func (x *exchange) setBody(value any) {
	x.checked = checkedBody{http.NoBody, value}
	x.request.Body = &x.checked
}

// unbindable reports a body that does not fit the generated types. That takes a server without
// validation: whatever the validator lets pass, the types can hold.
func unbindable(w http.ResponseWriter, r *http.Request, err error) {
	setFailure(w, r, violationProblem([]nodeapi.Violation{{Detail: err.Error()}}))
}
