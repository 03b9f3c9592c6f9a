package nodes

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// inService is the dialect of the orchestratord in service.
type inService struct{}

// bearer accepts the scheme only as RFC 6750 spells it.
func (inService) bearer(header http.Header) (string, bool) {
	token, ok := strings.CutPrefix(strings.TrimSpace(header.Get("Authorization")), "Bearer ")
	token = strings.TrimSpace(token)
	return token, ok && token != ""
}

// route routes HEAD as GET. A path without a parameter is never taken for the path of a node.
func (inService) route(r *http.Request) (string, bool) {
	methods := spec.InService().Methods(r.URL.Path)
	switch {
	case r.Method == http.MethodHead && slices.Contains(methods, http.MethodGet):
		return http.MethodGet, true
	case len(methods) > 0 && !slices.Contains(methods, r.Method):
		return "", false
	}
	return r.Method, true
}

func (inService) methods(router *chi.Mux, r *http.Request) []string {
	methods := spec.InService().Methods(r.URL.Path)
	if len(methods) == 0 {
		methods = exchange.Methods(router, r)
	}
	if i := slices.Index(methods, http.MethodGet); i >= 0 {
		methods = slices.Insert(methods, i+1, http.MethodHead)
	}
	return methods
}

// readPath requires an id in UTF-8.
func (inService) readPath(x *exchange.Exchange) error {
	if utf8.ValidString(spec.InService().NodeInPath(x.Request)) {
		return nil
	}
	return exchange.NewProblem(exchange.CodeInvalidParameter, "Invalid URL: Invalid UTF-8 in `id`")
}

// unrouted asks for a token first, whatever the path.
func (inService) unrouted(refuse exchange.Step) []exchange.Step {
	return []exchange.Step{authenticate, refuse}
}

// bodySchema takes JSON of all kinds, such as application/problem+json, and looks neither at its
// charset nor at its encoding.
func (inService) bodySchema(x *exchange.Exchange) (*spec.Schema, *exchange.Unfit) {
	schema, unfit := x.BodySchema()
	kind, _, _ := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	kind, isApplication := strings.CutPrefix(kind, "application/")
	of, isJSON := strings.CutSuffix(kind, "+json")
	if unfit == nil || !isApplication || kind != "json" && (!isJSON || of == "") {
		return schema, unfit
	}
	return onlyBody(x), nil
}

// onlyBody returns the schema of the request's body, which has one content type.
func onlyBody(x *exchange.Exchange) *spec.Schema {
	for _, schema := range x.Operation.Bodies {
		return schema
	}
	return nil
}

// readLimit is more than the limit, since what is wrong with a body counts before its length.
func (inService) readLimit(limit int64) int64 { return 2 * limit }

// decode leaves all bodies to those who look closely: what is obviously valid is so by the other
// document.
func (inService) decode(string, []byte) (any, bool) { return nil, false }

func (inService) mismatch(schema *spec.Schema, text []byte) *spec.Mismatch {
	return spec.FirstMismatch(schema, text)
}

func (inService) keep(operation string, schema *spec.Schema, value any) any {
	return spec.Keep(operation, schema, value)
}

func (inService) registered(bool) string { return "Registered successfully" }

// nextHeartbeat is always the same: that orchestratord has no setting for it.
func (inService) nextHeartbeat(*exchange.Exchange) time.Duration { return nextInService }

const nextInService = 10 * time.Second

// page reads all nodes at once, and has them in no order.
func (inService) page(c *cluster.Cluster, at *position, limit int) (nodes []registry.Node, more bool) {
	if !at.begun {
		at.begun = true
		at.rest, _ = c.Listed("", math.MaxInt)
		rand.Shuffle(len(at.rest), func(i, j int) { at.rest[i], at.rest[j] = at.rest[j], at.rest[i] })
	}
	limit = min(limit, len(at.rest))
	nodes, at.rest = at.rest[:limit], at.rest[limit:]
	return nodes, len(at.rest) > 0
}

// view has only those capabilities that the orchestratord in service knows, and all texts as they
// are.
func (inService) view(node registry.Node) nodeapi.Node {
	view := cluster.View(node)
	view.MachineID, view.Address = node.Registration.MachineID, node.Registration.Address
	keptInService(&view.Capabilities)
	return view
}

// keptInService takes out the capabilities that the orchestratord in service throws away, whatever they are.
func keptInService(has *nodeapi.ReportedCapabilities) *nodeapi.ReportedCapabilities {
	has.GPUCount, has.TotalVRAMMB, has.CUDAVersion = nil, nil, nil
	return has
}

// write has null for what is not known of a node.
func (inService) write(text []byte, node *nodeapi.Node) ([]byte, error) {
	filled, err := spec.WithNulls(node)
	return append(text, filled...), err
}

// counts leaves out calls without a valid token, those whose body is refused, and while the
// profile is off all but heartbeats.
func (inService) counts(x *exchange.Exchange, o outcome) bool {
	switch x.Status() {
	case http.StatusUnauthorized, http.StatusBadRequest, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return false
	}
	return o != cloudDisabled || x.OperationID() == string(control.OperationHeartbeatNode)
}

// finish echoes a correlation id whatever it is, if it is in ASCII, and sends no header that is not that
// orchestratord's.
func (d inService) finish(x *exchange.Exchange, failure error) {
	header, name := x.Header(), spec.Nodes().CorrelationHeader
	isOther := func(r rune) bool { return r > '~' }
	if given := x.Request.Header[name]; len(given) > 0 && !strings.ContainsFunc(given[0], isOther) {
		header[name] = given[:1]
	}
	delete(header, "X-Content-Type-Options")
	d.restate(x, failure)
}

// restate replaces the problem: those of the orchestratord in service have a line of text, a
// confirmation of failure, or nothing.
func (inService) restate(x *exchange.Exchange, failure error) {
	var p *exchange.Problem
	if !errors.As(failure, &p) {
		return
	}
	header := x.Header()
	for _, name := range []string{"Content-Type", "Www-Authenticate", "Retry-After", "Accept-Encoding"} {
		header.Del(name)
	}
	if allowed := header.Get("Allow"); allowed != "" {
		header.Set("Allow", strings.ReplaceAll(allowed, ", ", ","))
	}
	switch x.Status() {
	case http.StatusUnauthorized:
		header.Del(spec.Nodes().CorrelationHeader)
		x.ReplaceBody("")
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity:
		header.Set("Content-Type", "text/plain; charset=utf-8")
		x.ReplaceBody(lineOf(p, x))
	case http.StatusNotFound, http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError:
		confirmFailure(x, p)
	default:
		x.ReplaceBody("")
	}
}

// lineOf returns the text of an error with a body.
func lineOf(p *exchange.Problem, x *exchange.Exchange) string {
	switch code := p.Code(); {
	case code == exchange.CodeInvalidParameter, p.Status != 0: // a fault has its own reason
		return p.Detail()
	case code == nodeapi.ProblemCodeUnsupportedMediaType:
		return "Expected request with `Content-Type: application/json`"
	case code == nodeapi.ProblemCodeBodyTooLarge:
		return "Failed to buffer the request body: length limit exceeded"
	}
	line, syntax := "Failed to deserialize the JSON body into the target type: ", false
	if p.Code() == nodeapi.ProblemCodeMalformedBody {
		line, syntax = "Failed to parse the request body as JSON: ", true
	}
	var mismatch *spec.Mismatch
	if syntax || p.Violations() != nil {
		mismatch = spec.FirstMismatch(onlyBody(x), x.RequestBody)
	}
	if mismatch == nil || mismatch.Syntax != syntax { // the document is another one
		return line + p.Detail()
	}
	return line + mismatch.Line(x.RequestBody)
}

// confirmFailure answers in the form of a confirmation, with the values of a failure.
func confirmFailure(x *exchange.Exchange, p *exchange.Problem) {
	reason, advice, value := p.Detail(), "", any(nil)
	if p.Code() == nodeapi.ProblemCodeCloudProfileDisabled {
		reason, advice = "Cloud profile not enabled", ". Set ORCHESTRATORD_CLOUD_PROFILE=true"
	}
	switch control.Operation(x.OperationID()) {
	case control.OperationRegisterNode:
		value = nodeapi.RegisterResponse{Message: reason + advice, NodeID: x.NodeID}
	case control.OperationHeartbeatNode:
		value = nodeapi.HeartbeatResponse{NextHeartbeatMs: nextInService.Milliseconds()}
	case control.OperationListNodes:
		value = map[string]string{"error": reason}
	default:
		x.ReplaceBody("")
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		x.LogInternalError(err)
	}
	x.ReplaceBody(string(text))
	x.Header().Set("Content-Type", "application/json")
}
