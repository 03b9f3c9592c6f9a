package mockserver

import (
	"context"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// operations answers requests that keep the contract. It is a type of its own so that
// its methods are none of Server's.
type operations struct{ *Server }

var _ api.StrictServerInterface = operations{}

// RegisterNode adds a node, or replaces it (CLOUD-2001, CLOUD-2004).
func (o operations) RegisterNode(ctx context.Context, r api.RegisterNodeRequestObject) (api.RegisterNodeResponseObject, error) {
	was, change := o.cluster.Register(*r.Body)
	if change.Refused != nil {
		return nil, o.full(ctx, change.Refused)
	}
	o.noteTwin(ctx, was, change.Node)
	message := "node registered"
	if change.Was != "" {
		message = "node registered again"
	}
	o.logNode(ctx, message, change.Node)
	return api.RegisterNode200JSONResponse{
		Body: nodeapi.RegisterResponse{Success: true, Message: message, NodeID: r.Body.NodeID},
	}, nil
}

// HeartbeatNode renews a node (CLOUD-2010, CLOUD-2012).
func (o operations) HeartbeatNode(ctx context.Context, r api.HeartbeatNodeRequestObject) (api.HeartbeatNodeResponseObject, error) {
	change, known := o.cluster.Heartbeat(r.ID, *r.Body)
	if !known {
		return nil, unknownNode(ctx, r.ID)
	}
	if change.Refused != nil {
		return nil, o.full(ctx, change.Refused)
	}
	o.logHeartbeat(ctx, change)
	return api.HeartbeatNode200JSONResponse{Body: heartbeatAnswer(exchangeIn(ctx).settings.heartbeatInterval)}, nil
}

// DeregisterNode removes a node (CLOUD-2020, CLOUD-2021).
func (o operations) DeregisterNode(ctx context.Context, r api.DeregisterNodeRequestObject) (api.DeregisterNodeResponseObject, error) {
	node, known := o.cluster.Remove(r.ID)
	if !known {
		return nil, unknownNode(ctx, r.ID)
	}
	o.logNode(ctx, "node deregistered", node)
	return api.DeregisterNode204Response{}, nil
}

// ListNodes answers with all nodes, the offline ones too.
func (o operations) ListNodes(context.Context, api.ListNodesRequestObject) (api.ListNodesResponseObject, error) {
	return &listing{nodes: o.cluster, most: spec.Nodes().MaxNodes}, nil
}

// unknownNode returns the problem of an id that names no node, whatever the reason.
func unknownNode(ctx context.Context, id nodeapi.NodeID) error {
	told := quote(exchangeIn(ctx).request, id)
	if wrong := spec.Nodes().CheckNodeID(id); wrong != "" {
		return newProblem(nodeapi.ProblemCodeUnknownNode, "%q names no node: an id %s", told, wrong)
	}
	return newProblem(nodeapi.ProblemCodeUnknownNode, "no node is registered as %q", told)
}
