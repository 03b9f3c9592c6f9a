package exchange

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Problem is an error that says how it is to be answered.
type Problem struct {
	Status int // that a fault states; otherwise it is that of the code

	code       nodeapi.ProblemCode
	detail     string
	repeats    bool // whether the detail may repeat something of the request
	violations []nodeapi.Violation
	header     http.Header // what the answer carries besides
}

// The codes that only the control API knows.
const (
	CodeInvalidParameter = nodeapi.ProblemCode(control.ProblemCodeInvalidParameter)
	codeForbidden        = nodeapi.ProblemCode(control.ProblemCodeForbidden)
	CodeUnknownFault     = nodeapi.ProblemCode(control.ProblemCodeUnknownFault)
	CodeUnknownEntry     = nodeapi.ProblemCode(control.ProblemCodeUnknownEntry)
	CodeNotApplicable    = nodeapi.ProblemCode(control.ProblemCodeNotApplicable)
)

// CodeUpstreamUnreachable is of the answer to a node when the orchestratord that the mock stands
// in front of cannot be reached. No orchestratord answers so.
const CodeUpstreamUnreachable nodeapi.ProblemCode = "upstream_unreachable"

// NewProblem returns a problem with a detail in words. The arguments may repeat what the client sent.
func NewProblem(code nodeapi.ProblemCode, format string, args ...any) *Problem {
	return &Problem{
		code: code, detail: fmt.Sprintf(format, args...), repeats: len(args) > 0, header: http.Header{},
	}
}

// With adds a header to the answer.
func (p *Problem) With(header, value string) *Problem {
	p.header.Set(header, value)
	return p
}

// Add adds words to the detail, which repeat nothing that the client sent.
func (p *Problem) Add(words string) *Problem {
	p.detail += words
	return p
}

// Code returns the name of the kind of problem.
func (p *Problem) Code() nodeapi.ProblemCode { return p.code }

// Detail returns what is wrong, in words.
func (p *Problem) Detail() string { return p.detail }

// Violations returns where a body breaks the document, if that is the problem.
func (p *Problem) Violations() []nodeapi.Violation { return p.violations }

func (p *Problem) Error() string {
	return string(p.code) + ": " + p.detail
}

// answerError answers with the problem that err is. Any other error is a fault of the server: it
// is logged, and the client learns no more than that.
func (x *Exchange) answerError(w http.ResponseWriter, err error) {
	var p *Problem
	if errors.As(err, &p) {
		x.logRefusal(p)
	} else {
		x.LogInternalError(err)
		p = NewProblem(nodeapi.ProblemCodeInternalError, "orchestratord failed, see its log")
	}
	x.WriteProblem(w, p)
}

// WriteProblem answers with a problem, and logs nothing.
func (x *Exchange) WriteProblem(w http.ResponseWriter, p *Problem) {
	status, title := p.kind()
	body := nodeapi.Problem{
		Type:     "urn:llama-orch:problem:" + string(p.code),
		Title:    title,
		Status:   int32(status),
		Detail:   foreign.Cut(p.detail, spec.Nodes().MaxDetail),
		Instance: "urn:llama-orch:correlation:" + x.CorrelationID,
		Code:     p.code,
	}
	if p.violations != nil {
		body.Errors = &p.violations
	}
	maps.Copy(w.Header(), p.header)
	w.Header().Set(contentType, "application/problem+json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // people read this, not browsers
	if err := encoder.Encode(body); err != nil {
		x.LogInternalError(err)
	}
}

// kind returns the status and the title of the answer.
func (p *Problem) kind() (status int, title string) {
	kind := kindOf(p.code)
	if p.Status != 0 && p.Status != kind.status {
		return p.Status, cmp.Or(http.StatusText(p.Status), fmt.Sprint("Status ", p.Status))
	}
	return kind.status, kind.title
}

// CodeOf returns the code that a fault's answer with a status has. A status that none is
// for gets internal_error.
func CodeOf(status int) nodeapi.ProblemCode {
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

// controlKinds are those that only the control API has, and what stands in front of an
// orchestratord.
var controlKinds = []kind{
	{CodeInvalidParameter, http.StatusBadRequest, "Parameter not valid"},
	{codeForbidden, http.StatusForbidden, "Not allowed from there"},
	{CodeUnknownFault, http.StatusNotFound, "Unknown fault"},
	{CodeUnknownEntry, http.StatusNotFound, "Unknown entry"},
	{CodeNotApplicable, http.StatusConflict, "Not in front of an orchestratord"},
	{CodeUpstreamUnreachable, http.StatusBadGateway, "Orchestratord cannot be reached"},
}

// ViolationProblem returns the problem of a body with these violations. Its detail has the first,
// for those who look no further, such as logs. Pointers are shown as the document allows: on one
// line that is not too long, whatever names a client makes up.
func ViolationProblem(violations ...nodeapi.Violation) *Problem {
	for i := range violations {
		violations[i].Pointer = foreign.Cut(foreign.Line(violations[i].Pointer), spec.Nodes().MaxPointer)
	}
	first := violations[0]
	p := NewProblem(nodeapi.ProblemCodeContractViolation,
		"the body breaks the contract at %q: %s", first.Pointer, first.Detail)
	if more := len(violations) - 1; more > 0 {
		p.detail += fmt.Sprintf(" (%d more)", more)
	}
	p.violations = violations
	return p
}

// UnknownNode returns the problem of an id that names no node, whatever the reason.
func (x *Exchange) UnknownNode(id nodeapi.NodeID) *Problem {
	if wrong := spec.Nodes().CheckNodeID(id); wrong != "" {
		return NewProblem(nodeapi.ProblemCodeUnknownNode, "%q names no node: an id %s", x.Quote(id), wrong)
	}
	return NewProblem(nodeapi.ProblemCodeUnknownNode, "no node is registered as %q", x.Quote(id))
}
