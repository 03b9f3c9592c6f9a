package registration

import (
	"context"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// await blocks until the next attempt to register is due, and returns false when the
// node or ctx ends first.
func (n *Node) await(ctx context.Context) bool {
	select {
	case <-n.life.ended:
		return false
	case <-ctx.Done():
		return false
	case <-time.After(time.Until(n.plan.due)):
		return ctx.Err() == nil && !n.life.hasEnded()
	}
}

// attempt sends one request and draws the consequences. A heartbeat carries the status that
// pools samples. Pools is nil for a caller of Register or Run, who waits for the outcome.
func (n *Node) attempt(ctx context.Context, op operation, pools *sampler) outcome {
	// Before the status is sampled, since it may lack what Notify reports meanwhile.
	begun, end := n.begin(ctx, op)
	defer n.done(end)
	m := made{op: op, due: n.plan.due}
	var sent time.Time
	var o outcome
	if op == registering {
		n.reason = n.reasonNow(pools)
		sent, o = n.announce(begun, end)
	} else {
		sent, o = n.heartbeat(begun, end, pools)
	}
	m.reason = n.reason
	n.learn(op, o)

	now := time.Now()
	m.outcome, m.took = o, now.Sub(sent)
	n.plan = n.plan.after(op, sent, now, o, n.config.jitter())
	m.next, m.retried = n.plan, n.continues(ctx, o, pools)
	n.observer.attempt(m)
	return o
}

// heartbeat samples the status and sends it.
func (n *Node) heartbeat(ctx context.Context, end context.CancelCauseFunc, pools *sampler) (sent time.Time, o outcome) {
	n.roster.serve(n.life.described.Load().Pools)
	status, err := pools.sample(ctx)
	n.observer.callback(err)

	ctx, cancel := context.WithTimeout(ctx, n.plan.timeout(beating))
	defer cancel()
	sent = time.Now()
	request := nodeapi.HeartbeatRequest{Timestamp: sent.UTC(), Pools: status}
	return sent, n.link.heartbeat(ctx, end, n.config.nodeID, request)
}

// announce sends the description of the node.
func (n *Node) announce(ctx context.Context, end context.CancelCauseFunc) (sent time.Time, o outcome) {
	ctx, cancel := context.WithTimeout(ctx, n.plan.timeout(registering))
	defer cancel()
	n.life.updated.Store(false)
	described := n.life.described.Load()
	sent = time.Now()
	o = n.link.register(ctx, end, described.request(n.config))
	if o.mayHaveLanded {
		n.roster.serve(described.Pools)
	}
	return sent, o
}

// reasonNow returns why the node registers now. Without pools a caller of Register asked
// for it.
func (n *Node) reasonNow(pools *sampler) Reason {
	if pools == nil {
		return ReasonStarted
	}
	return n.plan.why(time.Now())
}

// learn notes what an outcome says about the node's record, and whether Notify cut it off. A
// heartbeat is accepted after a renewal was rejected if the record from before has stayed.
func (n *Node) learn(op operation, o outcome) {
	switch {
	case o.noRecord:
		n.life.known.Store(false)
	case op == registering && o.mayHaveLanded, o.verdict == accepted:
		n.life.known.Store(true)
	}
	switch o.verdict {
	case overtaken:
		n.link.overtook = true
	case accepted:
		n.link.overtook = n.link.overtook && op != beating
	}
}

// continues reports whether another request follows an outcome.
func (n *Node) continues(ctx context.Context, o outcome, pools *sampler) bool {
	if p := n.life.pulse.Load(); p != nil && pools != nil {
		ctx = p.ctx // the other is that of its requests, which never ends
	}
	if n.life.hasEnded() || ctx.Err() != nil {
		return false
	}
	return pools != nil || o.verdict != refused && o.verdict != unauthorized
}
