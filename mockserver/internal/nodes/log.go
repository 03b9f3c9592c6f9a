package nodes

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// logNode logs what a request did to a node (CLOUD-7020).
func (a *API) logNode(ctx context.Context, message string, node registry.Node) {
	a.Log.LogAttrs(ctx, slog.LevelInfo, message, append(cluster.Attrs(node), exchange.In(ctx).CorrelationAttr())...)
}

// logHeartbeat logs a heartbeat, and the status of its node when that has changed.
func (a *API) logHeartbeat(ctx context.Context, change registry.Change) {
	if a.Log.Enabled(ctx, slog.LevelDebug) {
		pools := slog.Any("pools", poolsSummary(change.Node.Pools))
		a.Log.LogAttrs(ctx, slog.LevelDebug, "heartbeat",
			append(cluster.Attrs(change.Node), pools, exchange.In(ctx).CorrelationAttr())...)
	}
	if !change.StatusChanged() {
		return
	}
	message := "node online"
	if change.Node.Status == nodeapi.NodeStatusDraining {
		message = "node draining"
	}
	a.logNode(ctx, message, change.Node)
}

// logDrift logs a departure from the contract that was not seen before.
func (a *API) logDrift(x *exchange.Exchange, nodeID string, departure drift.Departure) {
	level, message := slog.LevelWarn, "departure from the contract"
	switch {
	case departure.Status != 0:
		message = "orchestratord departs from the contract"
	case departure.Kind == drift.RefusedInService:
		level, message = slog.LevelInfo, "refused by the orchestratord in service"
	}
	a.Log.LogAttrs(x.Request.Context(), level, message,
		slog.String("node_id", nodeID),
		slog.String("operation", departure.Operation),
		slog.String("pointer", departure.Pointer),
		slog.String("kind", departure.Kind),
		slog.String("expected", departure.Expected),
		slog.String("got", departure.Got),
		x.CorrelationAttr())
}

// poolsSummary writes pools so that a person who watches heartbeats sees what changes. In it
// pool-0:3/4 has 3 of 4 slots free, and is marked unless it is ready.
type poolsSummary []nodeapi.PoolStatus

// LogValue is only called for lines that are written.
func (p poolsSummary) LogValue() slog.Value {
	pools := make([]string, len(p))
	for i, pool := range p {
		pools[i] = fmt.Sprintf("%s:%d", pool.PoolID, pool.SlotsFree)
		if pool.SlotsTotal != nil {
			pools[i] += fmt.Sprintf("/%d", *pool.SlotsTotal)
		}
		switch {
		case pool.Draining != nil && *pool.Draining:
			pools[i] += "(draining)"
		case !pool.Ready:
			pools[i] += "(not ready)"
		}
	}
	return slog.StringValue(strings.Join(pools, " "))
}
