package nodes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// operations answers requests that keep the contract. It is a type of its own so that
// its methods are none of API's.
type operations struct{ *API }

var _ api.StrictServerInterface = operations{}

// RegisterNode adds a node, or replaces it (CLOUD-2001, CLOUD-2004).
func (o operations) RegisterNode(
	ctx context.Context, r api.RegisterNodeRequestObject,
) (api.RegisterNodeResponseObject, error) {
	x := exchange.In(ctx)
	was, change := o.Cluster.Register(*r.Body, statedIn(x, r.Body.Capabilities))
	if change.Refused != nil {
		return nil, full(ctx, change.Refused)
	}
	o.noteTwin(ctx, was, change.Node)
	again := change.Was != ""
	o.logNode(ctx, document{}.registered(again), change.Node)
	message := dialectOf(x).registered(again)
	return api.RegisterNode200JSONResponse{Success: true, Message: message, NodeID: r.Body.NodeID}, nil
}

// statedIn returns the capabilities that a registration has stated, if some that the document
// requires are missing or invalid: those are zero in the type. In service some are thrown away, stated or not.
func statedIn(x *exchange.Exchange, has nodeapi.NodeCapabilities) *nodeapi.ReportedCapabilities {
	if x.Vetted {
		return nil
	}
	if x.Settings.Dialect == control.DialectInService {
		return keptInService(cluster.All(has))
	}
	// It begins with values that differ from those on record: only what the body states, in the
	// right type, can equal them.
	var said nodeapi.Node
	said.Capabilities.GPUCount = new(has.GPUCount - 1)
	said.Capabilities.TotalVRAMMB = new(has.TotalVRAMMB - 1)
	said.Capabilities.CUDAVersion = new(has.CUDAVersion + "?")
	_ = exactjson.Unmarshal(x.RequestBody, &said)
	stated := cluster.All(has)
	stated.GPUCount = same(said.Capabilities.GPUCount, has.GPUCount)
	stated.TotalVRAMMB = same(said.Capabilities.TotalVRAMMB, has.TotalVRAMMB)
	stated.CUDAVersion = same(said.Capabilities.CUDAVersion, has.CUDAVersion)
	if stated.GPUCount != nil && stated.TotalVRAMMB != nil && stated.CUDAVersion != nil {
		return nil
	}
	return stated
}

// same returns what was said, unless it is not what is on record.
func same[T comparable](said *T, has T) *T {
	if said == nil || *said != has {
		return nil
	}
	return said
}

// HeartbeatNode renews a node (CLOUD-2010, CLOUD-2012).
func (o operations) HeartbeatNode(
	ctx context.Context, r api.HeartbeatNodeRequestObject,
) (api.HeartbeatNodeResponseObject, error) {
	change, known := o.Cluster.Heartbeat(r.ID, *r.Body)
	if !known {
		return nil, exchange.In(ctx).UnknownNode(r.ID)
	}
	if change.Refused != nil {
		return nil, full(ctx, change.Refused)
	}
	o.logHeartbeat(ctx, change)
	x := exchange.In(ctx)
	next := dialectOf(x).nextHeartbeat(x).Milliseconds()
	return api.HeartbeatNode200JSONResponse{Success: true, NextHeartbeatMs: next}, nil
}

// DeregisterNode removes a node (CLOUD-2020, CLOUD-2021).
func (o operations) DeregisterNode(
	ctx context.Context, r api.DeregisterNodeRequestObject,
) (api.DeregisterNodeResponseObject, error) {
	node, known := o.Cluster.Remove(r.ID)
	if !known {
		return nil, exchange.In(ctx).UnknownNode(r.ID)
	}
	o.logNode(ctx, "node deregistered", node)
	return api.DeregisterNode204Response{}, nil
}

// ListNodes answers with the nodes that the dialect lists.
func (o operations) ListNodes(ctx context.Context, _ api.ListNodesRequestObject) (api.ListNodesResponseObject, error) {
	return &listing{dialect: dialectOf(exchange.In(ctx)), nodes: o.Cluster, most: spec.Nodes().MaxNodes}, nil
}

// noteTwin warns of a registration that takes the place of a live node on another machine or
// address, and notes it in the journal. If two nodes share an id, the heartbeats of one keep
// the record of the other online.
func (o operations) noteTwin(ctx context.Context, was, now registry.Node) {
	before, is, x := was.Registration, now.Registration, exchange.In(ctx)
	live := was.Status == nodeapi.NodeStatusOnline || was.Status == nodeapi.NodeStatusDraining
	fresh := now.RegisteredAt.Before(was.Heard.Add(x.Settings.NodeTimeout))
	if !live || !fresh || !differ(before.MachineID, is.MachineID) && !differ(before.Address, is.Address) {
		return
	}
	x.Remark = fmt.Sprintf("a live node had this id: machine %s at %s", before.MachineID, before.Address)
	o.Log.LogAttrs(ctx, slog.LevelWarn, "another machine or address registers under the id of a live node",
		slog.String("node_id", is.NodeID),
		slog.String("machine_id", is.MachineID),
		slog.String("address", is.Address),
		slog.String("live_machine_id", before.MachineID),
		slog.String("live_address", before.Address),
		x.CorrelationAttr())
}

// differ reports whether two texts that nodes have said differ. One that is not known may be the same.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// full returns the problem of a request that was refused for what is on record already.
func full(ctx context.Context, refused error) error {
	detail := "what is known of nodes takes as much memory as this orchestratord has for it: " +
		"say less, or have other nodes deregister"
	if errors.Is(refused, registry.ErrTooManyNodes) {
		detail = "as many nodes are registered as this orchestratord takes: another one must deregister first"
	}
	return exchange.NewProblem(nodeapi.ProblemCodeUnavailable, "%s", detail).
		With("Retry-After", retryAfter(exchange.In(ctx)))
}
