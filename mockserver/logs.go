package mockserver

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// logNode logs what a request did to a node (CLOUD-7020).
func (s *Server) logNode(ctx context.Context, message string, node registry.Node) {
	s.log.LogAttrs(ctx, slog.LevelInfo, message, append(cluster.Attrs(node), correlationAttr(exchangeIn(ctx).correlationID))...)
}

// logHeartbeat logs a heartbeat, and the status of its node when that has changed.
func (s *Server) logHeartbeat(ctx context.Context, change registry.Change) {
	if s.log.Enabled(ctx, slog.LevelDebug) {
		s.log.LogAttrs(ctx, slog.LevelDebug, "heartbeat",
			append(cluster.Attrs(change.Node), slog.Any("pools", poolsSummary(change.Node.Pools)), correlationAttr(exchangeIn(ctx).correlationID))...)
	}
	if !change.StatusChanged() {
		return
	}
	message := "node online"
	if change.Node.Status == nodeapi.NodeStatusDraining {
		message = "node draining"
	}
	s.logNode(ctx, message, change.Node)
}

// logRefusal logs that a request was refused, and why.
func (s *Server) logRefusal(r *http.Request, p *problem) {
	status, _ := p.kind()
	s.log.LogAttrs(r.Context(), slog.LevelWarn, "request refused", append([]slog.Attr{
		slog.Int("status", status),
		slog.String("code", string(p.code)),
		slog.String("detail", journal.Masked(p.detail, r.Header)),
	}, s.requestAttrs(r)...)...)
}

// logSlow logs that the body of a request did not arrive in the time that the HTTP server
// gives it, whereupon the connection is cut.
func (s *Server) logSlow(r *http.Request, arrived int) {
	s.log.LogAttrs(r.Context(), slog.LevelWarn, "request body too slow: connection cut",
		append([]slog.Attr{slog.Int("bytes_arrived", arrived)}, s.requestAttrs(r)...)...)
}

// logDrift logs a departure from the contract that was not seen before.
func (s *Server) logDrift(r *http.Request, nodeID string, departure drift.Departure) {
	s.log.LogAttrs(r.Context(), slog.LevelWarn, "departure from the contract",
		slog.String("node_id", nodeID),
		slog.String("operation", departure.Operation),
		slog.String("pointer", departure.Pointer),
		slog.String("kind", departure.Kind),
		slog.String("expected", departure.Expected),
		slog.String("got", departure.Got),
		correlationAttr(s.correlationID(r)))
}

// logFault logs what is the server's own fault.
func (s *Server) logFault(r *http.Request, err error) {
	s.log.LogAttrs(r.Context(), slog.LevelError, "internal error",
		append([]slog.Attr{slog.Any("error", err)}, s.requestAttrs(r)...)...)
}

// requestAttrs says which request it was, without its secrets.
func (s *Server) requestAttrs(r *http.Request) []slog.Attr {
	return []slog.Attr{
		slog.String("method", quote(r, r.Method)),
		slog.String("path", quote(r, r.URL.Path)),
		correlationAttr(s.correlationID(r)),
	}
}

func correlationAttr(id string) slog.Attr {
	return slog.String("correlation_id", id)
}

// poolsSummary writes pools so that a person who watches heartbeats sees what changes:
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
