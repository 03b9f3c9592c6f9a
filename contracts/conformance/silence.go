package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	// offlineSlack is how long after the node timeout a silent node may still be online.
	// The orchestratord in service checks every ten seconds.
	offlineSlack = 12 * time.Second
	// silencePoll is the interval at which the list is polled meanwhile.
	silencePoll = 250 * time.Millisecond
	// usualTimeout is the node timeout of an orchestratord with no other setting (CLOUD-2013).
	usualTimeout = 30 * time.Second
)

// awaitSilence waits until a silent node is offline (CLOUD-2013). A second node that goes on
// sending heartbeats must stay online. Of two silent ones, one must be able to come back by heartbeats, and
// the other by a registration.
func awaitSilence(ctx context.Context, s *session) {
	timeout := s.options.NodeTimeout
	if timeout == 0 {
		s.awaitLongInterval(ctx)
		return
	}
	r, lively, silent, other := s.registry(), s.name(), s.name(), s.name()
	for _, id := range []string{lively, silent, other} {
		r.take(ctx, comes, id)
		r.take(ctx, beats, id)
	}
	if s.reason() != nil || r.known[silent] == nil || r.known[other] == nil {
		return
	}
	end := r.known[silent].heard.to.Add(timeout + offlineSlack)
	for time.Now().Before(end) && s.reason() == nil {
		s.pause(ctx, min(silencePoll, timeout/8))
		r.take(ctx, beats, lively)
		began := time.Now()
		online, known := r.online(ctx)
		switch {
		case !known || online[silent] && online[lively]:
		case !online[lively]:
			s.keepNode(lively)
			s.find(Nodes, s.doc.operation(opList), "status of a node that sends heartbeats", "Online",
				"another, or none")
			return
		default:
			r.offline(ctx, silent, other, began.Sub(r.known[silent].heard.from))
			return
		}
	}
	if s.reason() == nil {
		s.keepNode(silent)
		s.find(Nodes, s.doc.operation(opList), "status of a node that is silent for longer than the node timeout",
			"Offline, or not to be listed (CLOUD-2013)", "Online after "+(timeout+offlineSlack).String())
	}
}

// awaitLongInterval checks an interval that the usual node timeout does not allow: a node that keeps to it
// must stay online. Where the run has no time for that, nothing is checked.
func (s *session) awaitLongInterval(ctx context.Context) {
	r, id := s.registry(), s.name()
	r.take(ctx, comes, id)
	r.take(ctx, beats, id) // the answer has the interval
	if s.reason() != nil || r.known[id] == nil {
		return
	}
	defer r.leave(ctx, id)
	interval := min(s.shortestInterval(), usualTimeout+offlineSlack)
	if end, limited := ctx.Deadline(); interval < usualTimeout || limited && time.Until(end) < interval+callTimeout {
		return
	}
	s.pause(ctx, time.Until(r.known[id].heard.to.Add(interval+silencePoll)))
	if online, known := r.online(ctx); known && !online[id] {
		s.find(Nodes, s.doc.operation(opHeartbeat), "200 body/next_heartbeat_ms",
			"less than the node timeout, as a node that keeps to it must stay online (CLOUD-2013)",
			s.shortestInterval().String()+"; the node was offline after "+interval.String())
	}
}

// offline checks when a silent node went offline, and brings it and another back. Orchestratord may
// accept a heartbeat alone for that, or require a registration.
func (r *registry) offline(ctx context.Context, id, other string, after time.Duration) {
	if timeout := r.options.NodeTimeout; after < timeout*9/10 {
		r.keepNode(id)
		r.find(Nodes, r.doc.operation(opList), "status of a node that is silent for less than the node timeout",
			"Online for "+timeout.String()+" (CLOUD-2013)", "another after "+after.Round(time.Millisecond).String())
		return
	}
	r.known[id].unsure, r.known[other].unsure = true, true
	r.look(ctx)
	trail := r.trail
	r.keepNode(id)
	for _, act := range []act{beats, comes, beats, leaves} {
		r.take(ctx, act, id)
		r.look(ctx)
	}
	r.trail = trail
	r.keepNode(other)
	for _, act := range []act{comes, beats, leaves} {
		r.take(ctx, act, other)
		r.look(ctx)
	}
}

// online returns which nodes are listed as online.
func (r *registry) online(ctx context.Context) (online map[string]bool, known bool) {
	r.trail = slices.DeleteFunc(r.trail, func(m made) bool { return m.op.id == opList })
	listing := r.list(ctx)
	if listing == nil {
		return nil, false
	}
	online = map[string]bool{}
	for _, node := range listing.nodes {
		online[node.NodeID] = node.Status == nodeapi.NodeStatusOnline
	}
	return online, true
}
