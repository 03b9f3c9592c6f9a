package mockserver

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// checkRequest holds the body of a request to the document, and leaves what keeps it for
// the handler.
func (s *Server) checkRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		declared := s.contract.operation(r).RequestBody
		if declared == nil || s.validation == Off {
			next.ServeHTTP(w, r)
			return
		}
		value, err := s.readBody(w, r, declared.Value.Content)
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		r.Body = checkedBody{ReadCloser: http.NoBody, value: value}
		next.ServeHTTP(w, r)
	})
}

// readBody returns the value of a body, as far as it is as declared. A body with several
// faults is refused for the one that costs least to find: 415, 413, 400, 422.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, declared openapi3.Content) (any, error) {
	// Parameters, broken ones too, do not change what the type is.
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form := declared[mediaType]
	if form == nil {
		return nil, newProblem(nodeapi.ProblemCodeUnsupportedMediaType, "content type %q is not supported: send %s",
			cut(r.Header.Get("Content-Type"), quoted), strings.Join(slices.Sorted(maps.Keys(declared)), " or "))
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.bodyLimit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, newProblem(nodeapi.ProblemCodeBodyTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return nil, newProblem(nodeapi.ProblemCodeMalformedBody, "the body ended early: %v", err)
	}
	value, err := decodeJSON(text)
	if err != nil {
		return nil, newProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
	}
	return s.checkBody(r, form.Schema.Value, value, len(text))
}

// checkBody returns a body that keeps the contract, or what in it does if the server is
// lenient; else the problem. Of a body that is very long that tells the first violation
// only: the validator's account of a hostile body takes a thousand times the memory of
// the body.
func (s *Server) checkBody(r *http.Request, schema *openapi3.Schema, value any, size int) (any, error) {
	options := []openapi3.SchemaValidationOption{openapi3.VisitAsRequest()}
	if size <= accountable {
		options = append(options, openapi3.MultiErrors())
	}
	err := s.contract.check(schema, value, options...)
	shape := s.contract.shapes[schema]
	s.noteDrift(r, shape, value, err)
	if err == nil {
		return value, nil
	}
	if s.validation == Report {
		if mended, ok := s.contract.mend(shape, value); ok {
			return mended, nil
		}
	}
	return nil, violationProblem(s.contract.violations(err))
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

// accountable is the size in bytes up to which all violations in a body are told.
const accountable = 64 << 10

// checkedBody is a request body that has been read and checked. The generated server
// binds its value, and nothing else: there is nothing left to read.
type checkedBody struct {
	io.ReadCloser
	value any
}

// ValidatedValue returns the value of the body. The name is the generated server's.
func (b checkedBody) ValidatedValue() any { return b.value }

// unbindable answers a request whose body does not fit the generated types. That takes
// a server without validation: whatever the validator lets pass, the types can hold.
func (s *Server) unbindable(w http.ResponseWriter, r *http.Request, err error) {
	s.writeProblem(w, r, violationProblem([]nodeapi.Violation{{Detail: err.Error()}}))
}
