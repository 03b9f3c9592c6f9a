package mockserver

import (
	"cmp"
	"context"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// operations answers requests that keep the contract. It is a type of its own so that
// its methods are none of Server's.
type operations struct{ *Server }

var _ api.StrictServerInterface = operations{}

// RegisterNode adds a node, or replaces it (CLOUD-2001, CLOUD-2004).
func (o operations) RegisterNode(ctx context.Context, r api.RegisterNodeRequestObject) (api.RegisterNodeResponseObject, error) {
	now := o.clock.Now()
	was, _ := o.nodes.Node(r.Body.NodeID)
	change := o.nodes.Register(*r.Body, now)
	if change.Refused != nil {
		return nil, o.full(ctx, change.Refused)
	}
	o.noteTwin(ctx, was, now, *r.Body)
	o.watch.arm()
	o.recordChange(change)
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
	change, known := o.nodes.Heartbeat(r.ID, *r.Body, o.clock.Now())
	if !known {
		return nil, o.unknownNode(ctx, r.ID)
	}
	if change.Refused != nil {
		return nil, o.full(ctx, change.Refused)
	}
	o.watch.arm()
	o.recordChange(change)
	o.logHeartbeat(ctx, change)
	return api.HeartbeatNode200JSONResponse{Body: heartbeatAnswer(exchangeIn(ctx).settings.heartbeatInterval)}, nil
}

// DeregisterNode removes a node (CLOUD-2020, CLOUD-2021).
func (o operations) DeregisterNode(ctx context.Context, r api.DeregisterNodeRequestObject) (api.DeregisterNodeResponseObject, error) {
	node, known := o.nodes.Deregister(r.ID)
	if !known {
		return nil, o.unknownNode(ctx, r.ID)
	}
	o.recordGone(node)
	o.logNode(ctx, "node deregistered", node)
	return api.DeregisterNode204Response{}, nil
}

// ListNodes answers with all nodes, the offline ones too.
func (o operations) ListNodes(context.Context, api.ListNodesRequestObject) (api.ListNodesResponseObject, error) {
	return &listing{nodes: o.nodes, most: o.contract.maxNodes}, nil
}

// reported returns a node as clients see it.
func reported(node registry.Node) nodeapi.Node {
	has := node.Registration.Capabilities
	told := nodeapi.Node{
		NodeID:    node.Registration.NodeID,
		MachineID: cmp.Or(node.Registration.MachineID, untoldMachine),
		Address:   cmp.Or(node.Registration.Address, untoldAddress),
		Pools:     node.Registration.Pools,
		Capabilities: nodeapi.ReportedCapabilities{
			GPUCount:      &has.GPUCount,
			TotalVRAMMB:   &has.TotalVRAMMB,
			CUDAVersion:   &has.CUDAVersion,
			Gpus:          has.Gpus,
			CPUCores:      has.CPUCores,
			RAMTotalBytes: has.RAMTotalBytes,
		},
		Status:         node.Status,
		RegisteredAtMs: node.RegisteredAt.UnixMilli(),
		Version:        node.Registration.Version,
	}
	if !node.LastHeartbeat.IsZero() {
		told.LastHeartbeatMs = new(node.LastHeartbeat.UnixMilli())
	}
	return told
}

// What the list says of a node that registered without them, as validation Report lets
// it: a node in a list must have both.
const (
	untoldMachine = "unknown"
	untoldAddress = "http://unknown.invalid"
)

// unknownNode returns the problem of an id that names no node, whatever the reason.
func (s *Server) unknownNode(ctx context.Context, id nodeapi.NodeID) error {
	told := quote(exchangeIn(ctx).request, id)
	if err := s.contract.check(s.contract.nodeID, id); err != nil {
		return newProblem(nodeapi.ProblemCodeUnknownNode, "%q names no node: an id %s", told, s.contract.violations(err)[0].Detail)
	}
	return newProblem(nodeapi.ProblemCodeUnknownNode, "no node is registered as %q", told)
}
