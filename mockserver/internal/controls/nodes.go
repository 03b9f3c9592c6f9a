package controls

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/glob"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// ReadNodes answers with a page of the nodes that fit.
func (o operations) ReadNodes(
	_ context.Context, r controlapi.ReadNodesRequestObject,
) (controlapi.ReadNodesResponseObject, error) {
	if err := glob.Check(optional.Or(r.Params.Node, "")); err != nil {
		return nil, exchange.NewProblem(exchange.CodeInvalidParameter, "parameter %q: %v", "node", err)
	}
	limit, size := int(*r.Params.Limit), 0
	page := control.NodePage{Nodes: []control.MockNode{}}
	for node, more := range o.nodesAfter(optional.Or(r.Params.After, "")) {
		if !fits(node, r.Params) {
			continue
		}
		view := o.nodeView(node)
		text, err := json.Marshal(view)
		if err != nil {
			return nil, err
		}
		page.Nodes = append(page.Nodes, view)
		if size += len(text); len(page.Nodes) == limit || size >= journal.MaxBatchBytes {
			if more {
				page.Next = &view.Node.NodeID
			}
			break
		}
	}
	return controlapi.ReadNodes200JSONResponse(page), nil
}

// readPage is how many nodes are read at once.
const readPage = 64

// nodesAfter returns the nodes whose ids come after one, ordered by id, each with whether
// there are more.
func (o operations) nodesAfter(id nodeapi.NodeID) iter.Seq2[registry.Node, bool] {
	return func(yield func(registry.Node, bool) bool) {
		for more := true; more; {
			var nodes []registry.Node
			nodes, more = o.Cluster.Page(id, readPage)
			for i, node := range nodes {
				id = node.Registration.NodeID
				if !yield(node, more || i+1 < len(nodes)) {
					return
				}
			}
		}
	}
}

func fits(node registry.Node, wanted control.ReadNodesParams) bool {
	return (wanted.Status == nil || *wanted.Status == node.Status) &&
		(wanted.Node == nil || glob.Fits(*wanted.Node, node.Registration.NodeID))
}

// ReadNode answers with one node.
func (o operations) ReadNode(
	ctx context.Context, r controlapi.ReadNodeRequestObject,
) (controlapi.ReadNodeResponseObject, error) {
	node, known := o.Cluster.Node(r.ID)
	if !known {
		return nil, exchange.In(ctx).UnknownNode(r.ID)
	}
	return controlapi.ReadNode200JSONResponse(o.nodeView(node)), nil
}

// LoadNodes replaces all nodes.
func (o operations) LoadNodes(
	ctx context.Context, r controlapi.LoadNodesRequestObject,
) (controlapi.LoadNodesResponseObject, error) {
	if err := o.refuseInFront("nodes are those that register"); err != nil {
		return nil, err
	}
	if wrong := doubles(r.Body.Nodes); wrong != nil {
		return nil, exchange.ViolationProblem(wrong...)
	}
	if err := o.Cluster.CheckLoad(len(r.Body.Nodes)); err != nil {
		return nil, exchange.ViolationProblem(nodeapi.Violation{Pointer: "/nodes", Detail: err.Error()})
	}
	now := o.Clock.Now()
	nodes := make([]registry.Node, len(r.Body.Nodes))
	for i, node := range r.Body.Nodes {
		nodes[i] = loaded(node, now)
	}
	o.note(ctx, "%s loaded", plural.Count(len(nodes), "node")) // before the journal has that some of them fell silent
	o.Cluster.Load(nodes, now)
	return controlapi.LoadNodes204Response{}, nil
}

// loaded returns a node of a fixture as the registry would know it.
func loaded(node control.FixtureNode, now time.Time) registry.Node {
	heard := now.Add(-milliseconds(optional.Or(node.SilentForMs, 0)))
	loaded := registry.Node{
		Registration: node.Registration,
		Status:       optional.Or(node.Status, nodeapi.NodeStatusRegistering),
		RegisteredAt: heard,
		Pools:        optional.Or(node.Pools, nil),
	}
	if loaded.Status != nodeapi.NodeStatusRegistering {
		loaded.LastHeartbeat = heard
	}
	return loaded
}

// doubles lists the nodes of a fixture whose id another has before them.
func doubles(nodes []control.FixtureNode) []nodeapi.Violation {
	var wrong []nodeapi.Violation
	ids := spec.NodeIDs{}
	for i, node := range nodes {
		detail := ids.Add(i, node.Registration.NodeID)
		if detail != "" && len(wrong) < spec.Control().MaxViolations {
			wrong = append(wrong, nodeapi.Violation{
				Pointer: fmt.Sprintf("/nodes/%d/registration/node_id", i), Detail: detail,
			})
		}
	}
	return wrong
}

// ForgetNode forgets a node, as if its record had been lost.
func (o operations) ForgetNode(
	ctx context.Context, r controlapi.ForgetNodeRequestObject,
) (controlapi.ForgetNodeResponseObject, error) {
	if err := o.refuseInFront("it cannot be made to forget a node"); err != nil {
		return nil, err
	}
	if _, known := o.Cluster.Remove(r.ID); !known {
		return nil, exchange.In(ctx).UnknownNode(r.ID)
	}
	o.note(ctx, "node %s forgotten", r.ID)
	return controlapi.ForgetNode204Response{}, nil
}

// SetNodeStatus gives a node a status.
func (o operations) SetNodeStatus(
	ctx context.Context, r controlapi.SetNodeStatusRequestObject,
) (controlapi.SetNodeStatusResponseObject, error) {
	if err := o.refuseInFront("it cannot be made to change the status of a node"); err != nil {
		return nil, err
	}
	change, known := o.Cluster.SetStatus(r.ID, r.Body.Status)
	if !known {
		return nil, exchange.In(ctx).UnknownNode(r.ID)
	}
	o.note(ctx, "node %s set to %s", r.ID, change.Node.Status)
	return controlapi.SetNodeStatus200JSONResponse(o.nodeView(change.Node)), nil
}

// nodeView returns a node as the API describes it.
func (o operations) nodeView(node registry.Node) control.MockNode {
	view := control.MockNode{
		Node:    cluster.View(node),
		Pools:   append([]nodeapi.PoolStatus{}, node.Pools...), // never null
		History: make([]control.Transition, len(node.History)),
	}
	for i, change := range node.History {
		view.History[i] = transitionView(change)
	}
	if at, expires := o.Cluster.ExpiresAt(node); expires {
		view.ExpiresAtMs = new(at.UnixMilli())
	}
	if o.Watch != nil {
		if since, missing := o.Watch.MissingSince(node.Registration.NodeID); missing {
			view.UnlistedSinceMs = new(since.UnixMilli())
		}
	}
	return view
}

func transitionView(change registry.Transition) control.Transition {
	return control.Transition{
		AtMs: change.At.UnixMilli(), From: optional.Stated(change.From), To: optional.Stated(change.To),
	}
}
