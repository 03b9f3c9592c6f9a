package mockserver

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
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
		s.noteDrift(exchangeOf(r)) // why it was refused comes first
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
		Detail:   spec.Cut(p.detail, spec.Nodes().MaxDetail),
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
	kind := kindOf(p.code)
	if p.status != 0 && p.status != kind.status {
		return p.status, cmp.Or(http.StatusText(p.status), fmt.Sprint("Status ", p.status))
	}
	return kind.status, kind.title
}

// codeOf returns the code that a fault's answer with a status has. A status that none is
// for gets internal_error.
func codeOf(status int) nodeapi.ProblemCode {
	at := slices.IndexFunc(kinds, func(k kind) bool { return k.status == status })
	if at < 0 {
		return nodeapi.ProblemCodeInternalError
	}
	return kinds[at].code
}

// kindOf returns what the problems of one code have in common.
func kindOf(code nodeapi.ProblemCode) kind {
	for _, kinds := range [][]kind{kinds, controlKinds} {
		if at := slices.IndexFunc(kinds, func(k kind) bool { return k.code == code }); at >= 0 {
			return kinds[at]
		}
	}
	return kind{nodeapi.ProblemCodeInternalError, http.StatusInternalServerError, "Internal error"}
}

type kind struct {
	code   nodeapi.ProblemCode
	status int
	title  string
}

// kinds are those of the node API but for internal errors. Of several with one status the
// first is the one of faults.
var kinds = []kind{
	{nodeapi.ProblemCodeMalformedBody, http.StatusBadRequest, "The body is not JSON"},
	{nodeapi.ProblemCodeUnauthorized, http.StatusUnauthorized, "Not authenticated"},
	{nodeapi.ProblemCodeUnknownNode, http.StatusNotFound, "Unknown node"},
	{nodeapi.ProblemCodeNotFound, http.StatusNotFound, "Not found"},
	{nodeapi.ProblemCodeMethodNotAllowed, http.StatusMethodNotAllowed, "Method not allowed"},
	{nodeapi.ProblemCodeBodyTooLarge, http.StatusRequestEntityTooLarge, "Body too large"},
	{nodeapi.ProblemCodeUnsupportedMediaType, http.StatusUnsupportedMediaType, "Unsupported media type"},
	{nodeapi.ProblemCodeContractViolation, http.StatusUnprocessableEntity, "The body breaks the contract"},
	{nodeapi.ProblemCodeThrottled, http.StatusTooManyRequests, "Too many requests"},
	{nodeapi.ProblemCodeUnavailable, http.StatusServiceUnavailable, "Not available"},
	{nodeapi.ProblemCodeCloudProfileDisabled, http.StatusServiceUnavailable, "Cloud profile disabled"},
}

// controlKinds are those that only the control API has.
var controlKinds = []kind{
	{codeInvalidParameter, http.StatusBadRequest, "Parameter not valid"},
	{codeForbidden, http.StatusForbidden, "Not allowed from there"},
	{codeUnknownFault, http.StatusNotFound, "Unknown fault"},
	{codeUnknownEntry, http.StatusNotFound, "Unknown entry"},
}
