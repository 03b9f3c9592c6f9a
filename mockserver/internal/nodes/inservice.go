package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// inService is the dialect of the orchestratord in service.
type inService struct{}

func (inService) document() *spec.Document { return spec.InService() }

// decode leaves all bodies to those who look closely: what is obviously valid is so by the other
// document.
func (inService) decode(string, []byte) (any, bool) { return nil, false }

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
		at.begun, at.rest = true, c.Listed()
		rand.Shuffle(len(at.rest), func(i, j int) { at.rest[i], at.rest[j] = at.rest[j], at.rest[i] })
	}
	limit = min(limit, len(at.rest))
	nodes, at.rest = at.rest[:limit], at.rest[limit:]
	return nodes, len(at.rest) > 0
}

// view has only those capabilities that the orchestratord in service knows.
func (inService) view(node registry.Node) nodeapi.Node {
	view := cluster.View(node)
	view.Capabilities.GPUCount, view.Capabilities.TotalVRAMMB, view.Capabilities.CUDAVersion = nil, nil, nil
	return view
}

// counts leaves out calls without a valid token, and registrations while the profile is off.
func (inService) counts(x *exchange.Exchange, o outcome) bool {
	return o != unauthorized && (o != cloudDisabled || x.OperationID() != string(control.OperationRegisterNode))
}

// restate replaces the problem: those of the orchestratord in service have a line of text, a
// confirmation of failure, or nothing.
func (inService) restate(x *exchange.Exchange, failure error) {
	var p *exchange.Problem
	if !errors.As(failure, &p) {
		return
	}
	header := x.Header()
	header.Del("Content-Type")
	header.Del("Www-Authenticate")
	header.Del("Retry-After")
	if allowed := header.Get("Allow"); allowed != "" {
		header.Set("Allow", strings.ReplaceAll(allowed, ", ", ","))
	}
	switch x.Status() {
	case http.StatusUnauthorized:
		header.Del(spec.Nodes().CorrelationHeader)
		x.ReplaceBody("")
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		header.Set("Content-Type", "text/plain; charset=utf-8")
		x.ReplaceBody(lineOf(p))
	case http.StatusNotFound, http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError:
		confirmFailure(x)
	default:
		x.ReplaceBody("")
	}
}

// lineOf returns the text of an error.
func lineOf(p *exchange.Problem) string {
	switch p.Code() {
	case nodeapi.ProblemCodeMalformedBody:
		return "Failed to parse the request body as JSON: " + p.Detail()
	case nodeapi.ProblemCodeUnsupportedMediaType:
		return "Expected request with `Content-Type: application/json`"
	case nodeapi.ProblemCodeBodyTooLarge:
		return "length limit exceeded"
	}
	line := "Failed to deserialize the JSON body into the target type: "
	if broken := p.Violations(); len(broken) > 0 {
		return line + reasonOf(broken[0])
	}
	return line + p.Detail()
}

// reasonOf returns where a body breaks the document, and how, such as capabilities: missing field
// `gpus`.
func reasonOf(broken nodeapi.Violation) string {
	place, field := path.Split(broken.Pointer)
	if !strings.HasSuffix(broken.Detail, "is missing") {
		place, field = broken.Pointer, ""
	}
	reason := broken.Detail
	if field != "" {
		reason = fmt.Sprintf("missing field `%s`", field)
	}
	if place = strings.ReplaceAll(strings.Trim(place, "/"), "/", "."); place != "" {
		return place + ": " + reason
	}
	return reason
}

// confirmFailure answers in the form of a confirmation, with the values of a failure.
func confirmFailure(x *exchange.Exchange) {
	const off = "Cloud profile not enabled"
	var value any
	switch control.Operation(x.OperationID()) {
	case control.OperationRegisterNode:
		value = nodeapi.RegisterResponse{Message: off + ". Set ORCHESTRATORD_CLOUD_PROFILE=true", NodeID: x.NodeID}
	case control.OperationHeartbeatNode:
		value = nodeapi.HeartbeatResponse{NextHeartbeatMs: nextInService.Milliseconds()}
	case control.OperationListNodes:
		value = map[string]string{"error": off}
	default:
		x.ReplaceBody("")
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		x.LogFault(err)
	}
	x.ReplaceBody(string(text))
	x.Header().Set("Content-Type", "application/json")
}
