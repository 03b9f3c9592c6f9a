package mockserver

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// problem is an error that says how it is to be answered.
type problem struct {
	code       nodeapi.ProblemCode
	status     int // if it is not that of the code
	detail     string
	violations []nodeapi.Violation
	header     http.Header // what the answer carries besides
}

// The codes that only the control API knows.
const (
	codeInvalidParameter = nodeapi.ProblemCode(control.ProblemCodeInvalidParameter)
	codeForbidden        = nodeapi.ProblemCode(control.ProblemCodeForbidden)
	codeUnknownFault     = nodeapi.ProblemCode(control.ProblemCodeUnknownFault)
	codeUnknownEntry     = nodeapi.ProblemCode(control.ProblemCodeUnknownEntry)
)

func newProblem(code nodeapi.ProblemCode, format string, args ...any) *problem {
	return &problem{code: code, detail: fmt.Sprintf(format, args...), header: http.Header{}}
}

// with adds a header to the answer.
func (p *problem) with(header, value string) *problem {
	p.header.Set(header, value)
	return p
}

func (p *problem) Error() string {
	return string(p.code) + ": " + p.detail
}

// writeProblem answers a request with the problem that err is. Any other error is a
// fault of the server: it is logged, and the client learns no more than that.
func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		s.logFault(r, err)
		p = newProblem(nodeapi.ProblemCodeInternalError, "orchestratord failed, see its log")
	} else {
		s.logRefusal(r, p)
	}
	s.tell(w, r, p)
}

// tell answers a request with a problem.
func (s *Server) tell(w http.ResponseWriter, r *http.Request, p *problem) {
	status, title := p.kind()
	body := nodeapi.Problem{
		Type:     "urn:llama-orch:problem:" + string(p.code),
		Title:    title,
		Status:   int32(status),
		Detail:   cut(p.detail, s.contract.maxDetail),
		Instance: "urn:llama-orch:correlation:" + s.correlationID(r),
		Code:     p.code,
	}
	if p.violations != nil {
		body.Errors = &p.violations
	}
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // people read this, not browsers
	if err := encoder.Encode(body); err != nil {
		s.logFault(r, err)
	}
}

// kind returns the status and the title of the answer.
func (p *problem) kind() (status int, title string) {
	status, title = kind(p.code)
	if p.status != 0 && p.status != status {
		return p.status, cmp.Or(http.StatusText(p.status), fmt.Sprint("Status ", p.status))
	}
	return status, title
}

// codeOf returns the code of the problems that have a status, or if none has,
// internal_error.
func codeOf(status int) nodeapi.ProblemCode {
	for _, code := range []nodeapi.ProblemCode{
		nodeapi.ProblemCodeMalformedBody, nodeapi.ProblemCodeUnauthorized, nodeapi.ProblemCodeUnknownNode,
		nodeapi.ProblemCodeMethodNotAllowed, nodeapi.ProblemCodeBodyTooLarge, nodeapi.ProblemCodeUnsupportedMediaType,
		nodeapi.ProblemCodeContractViolation, nodeapi.ProblemCodeThrottled, nodeapi.ProblemCodeUnavailable,
	} {
		if of, _ := kind(code); of == status {
			return code
		}
	}
	return nodeapi.ProblemCodeInternalError
}

// kind returns what the problems of one code have in common.
func kind(code nodeapi.ProblemCode) (status int, title string) {
	switch code {
	case nodeapi.ProblemCodeMalformedBody:
		return http.StatusBadRequest, "The body is not JSON"
	case codeInvalidParameter:
		return http.StatusBadRequest, "Parameter not valid"
	case nodeapi.ProblemCodeUnauthorized:
		return http.StatusUnauthorized, "Not authenticated"
	case codeForbidden:
		return http.StatusForbidden, "Not allowed from there"
	case nodeapi.ProblemCodeNotFound:
		return http.StatusNotFound, "Not found"
	case nodeapi.ProblemCodeUnknownNode:
		return http.StatusNotFound, "Unknown node"
	case codeUnknownFault:
		return http.StatusNotFound, "Unknown fault"
	case codeUnknownEntry:
		return http.StatusNotFound, "Unknown entry"
	case nodeapi.ProblemCodeMethodNotAllowed:
		return http.StatusMethodNotAllowed, "Method not allowed"
	case nodeapi.ProblemCodeBodyTooLarge:
		return http.StatusRequestEntityTooLarge, "Body too large"
	case nodeapi.ProblemCodeUnsupportedMediaType:
		return http.StatusUnsupportedMediaType, "Unsupported media type"
	case nodeapi.ProblemCodeContractViolation:
		return http.StatusUnprocessableEntity, "The body breaks the contract"
	case nodeapi.ProblemCodeThrottled:
		return http.StatusTooManyRequests, "Too many requests"
	case nodeapi.ProblemCodeUnavailable:
		return http.StatusServiceUnavailable, "Not available"
	case nodeapi.ProblemCodeCloudProfileDisabled:
		return http.StatusServiceUnavailable, "Cloud profile disabled"
	default:
		return http.StatusInternalServerError, "Internal error"
	}
}
