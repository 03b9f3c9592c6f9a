package registration

import (
	"context"
	"sync/atomic"
	"time"
)

// pulse sends the heartbeats of a registered node, which it owns. Between them no
// goroutine waits: its stack would be most of what a node holds. Instead whatever may
// concern the node rouses the pulse, which then has its turns, one at a time.
type pulse struct {
	node  *Node
	ctx   context.Context // ends the heartbeats
	live  context.Context // of requests: cut off with ctx, one could take effect later
	pools *sampler
	alarm *time.Timer  // rouses when something is due
	calls atomic.Int32 // to rouse, since the last turn began; above 0 while there are turns
	idle  func() bool  // has ctx rouse no more
}

// beat has the heartbeats of a node sent until the node or ctx ends, and the node
// released then.
func (n *Node) beat(ctx context.Context, status StatusFunc) {
	live := apart(context.WithoutCancel(ctx))
	p := &pulse{node: n, ctx: ctx, live: live, pools: newSampler(live, status, n.config.Pools)}
	n.observer.plan(n.plan.due)
	n.sleep.took()
	p.calls.Store(1) // no turn before everything is in place
	p.alarm = time.AfterFunc(time.Until(n.plan.due), p.rouse)
	p.idle = context.AfterFunc(ctx, p.rouse)
	n.pulse.Store(p)
	go p.turns()
}

// rouse gives the pulse a turn, if need be after the one that it has.
func (p *pulse) rouse() {
	if p.calls.Add(1) == 1 {
		p.turns()
	}
}

// turns goes on for as long as there are calls. The last turn leaves calls above zero, so
// no later rouse starts another.
func (p *pulse) turns() {
	for {
		calls := p.calls.Load()
		if !p.turn() || p.calls.CompareAndSwap(calls, 0) {
			return
		}
	}
}

// turn does what is due, and returns false when it was the last.
func (p *pulse) turn() bool {
	n := p.node
	select {
	case <-n.ended:
		p.stop()
		return false
	case <-p.ctx.Done():
		p.stop()
		return false
	default:
	}
	select {
	case <-n.news:
		n.plan = n.plan.notified(time.Now())
	default:
	}
	if now := time.Now(); !now.Before(n.plan.due) {
		n.plan = n.plan.slept(n.sleep.took())
		n.attempt(p.live, n.plan.next(now), p.pools)
	}
	p.alarm.Reset(time.Until(n.plan.due))
	return true
}

func (p *pulse) stop() {
	p.alarm.Stop()
	p.idle()
	p.pools.end()
	p.node.pulse.Store(nil)
	p.node.release()
}
