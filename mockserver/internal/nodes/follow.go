package nodes

import (
	"net/http"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// follow changes the nodes as a call and its answer say: what orchestratord has accepted of them,
// and what it does not know. The body is that of the request, or nil.
func (r *relayed) follow(body any) {
	x := r.x
	if x.NodeID == "" || x.Operation == nil {
		return
	}
	switch status := x.Status(); {
	case status == http.StatusNotFound && len(r.answerDepartures()) == 0: // or a router may have sent it
		r.followGone("node unknown to orchestratord")
	case status < http.StatusOK || status >= http.StatusMultipleChoices:
	default:
		r.followAccepted(body)
	}
}

func (r *relayed) followAccepted(body any) {
	x := r.x
	switch control.Operation(x.OperationID()) {
	case control.OperationRegisterNode:
		registration, ok := body.(*nodeapi.RegisterRequest)
		if !ok {
			registration = &nodeapi.RegisterRequest{NodeID: x.NodeID}
		}
		if rejected(x.Body()) {
			return
		}
		r.followRegistration(*registration)
	case control.OperationHeartbeatNode:
		beat, ok := body.(*nodeapi.HeartbeatRequest)
		if !ok {
			beat = &nodeapi.HeartbeatRequest{}
		}
		r.followHeartbeat(*beat)
	case control.OperationDeregisterNode:
		r.followGone("node deregistered")
	}
}

// rejected reports whether the answer to a registration is a rejection (CLOUD-2003).
func rejected(answer []byte) bool {
	confirmation := nodeapi.RegisterResponse{Success: true}
	return exactjson.Unmarshal(answer, &confirmation) == nil && !confirmation.Success
}

func (r *relayed) followRegistration(registration nodeapi.RegisterRequest) {
	ctx := r.x.Request.Context()
	was, change := r.Cluster.Register(registration, statedIn(r.x, registration.Capabilities))
	if change.Refused != nil {
		return
	}
	operations{r.API}.noteTwin(ctx, was, change.Node)
	r.logNode(ctx, document{}.registered(change.Was != ""), change.Node)
}

// followHeartbeat renews a node. One that registered before anybody looked is known by its id
// from now on.
func (r *relayed) followHeartbeat(beat nodeapi.HeartbeatRequest) {
	x := r.x
	change, known := r.Cluster.Heartbeat(x.NodeID, beat)
	if !known {
		stated := &nodeapi.ReportedCapabilities{}
		if _, change := r.Cluster.Register(nodeapi.RegisterRequest{NodeID: x.NodeID}, stated); change.Refused != nil {
			return
		}
		change, _ = r.Cluster.Heartbeat(x.NodeID, beat)
	}
	if change.Refused == nil {
		r.logHeartbeat(x.Request.Context(), change)
	}
}

func (r *relayed) followGone(message string) {
	if node, known := r.Cluster.Remove(r.x.NodeID); known {
		r.logNode(r.x.Request.Context(), message, node)
	}
}
