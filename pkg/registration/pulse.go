package registration

import (
	"context"
	"sync/atomic"
	"time"
)

// pulse sends the heartbeats of a registered node, which it owns. Between them no
// goroutine waits: its stack would be most of what a node holds. Instead whatever may
// concern the node wakes the pulse, which then has its turns, one at a time.
type pulse struct {
	node  *Node
	ctx   context.Context // ends the heartbeats
	live  context.Context // of requests: cut off with ctx, one could take effect later
	pools *sampler
	alarm *time.Timer  // wakes when something is due
	calls atomic.Int32 // to wake, since the last turn began; above 0 while there are turns
	idle  func() bool  // has ctx wake no more
}

// beat has the heartbeats of a node sent until the node or ctx ends, and the node
// released then.
func (n *Node) beat(ctx context.Context, status StatusFunc) {
	live := context.WithoutCancel(ctx)
	p := &pulse{node: n, ctx: ctx, live: live}
	wake := p.wake
	p.pools = newSampler(live, status, n.config.nodeTimeout, wake).after(n.pools)
	n.pools = p.pools
	n.link.apart = true
	n.observer.plan(n.plan.due)
	n.plan = n.plan.slept(n.sleep.took())
	p.calls.Store(1) // no turn before everything is in place
	p.alarm = time.AfterFunc(time.Until(n.plan.due), wake)
	p.idle = context.AfterFunc(ctx, wake)
	n.life.pulse.Store(p)
	go p.turns()
}

// wake gives the pulse a turn, if need be after the one that it has.
func (p *pulse) wake() {
	if p.calls.Add(1) == 1 {
		p.turns()
	}
}

// turns goes on for as long as there are calls. The last turn leaves calls above zero, so
// no later call starts another.
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
	switch {
	case n.life.hasEnded():
		p.stop()
		return false
	case p.ctx.Err() != nil:
		n.observer.silent()
		p.stop()
		return false
	}
	p.hear()
	if now := time.Now(); !now.Before(n.plan.due) {
		n.plan = n.plan.slept(n.sleep.took())
		n.attempt(p.live, n.plan.next(now), p.pools)
	}
	n.observer.plan(n.plan.due)
	p.alarm.Reset(p.pause())
	return true
}

// hear takes in what has changed since the last turn: news, the description, the token.
func (p *pulse) hear() {
	n := p.node
	now := time.Now()
	if n.life.news.Swap(false) {
		p.pools.news = true
		n.plan = n.plan.notified(now)
	}
	if p.pools.hasNews() {
		n.plan = n.plan.notified(now)
	}
	if n.life.updated.Load() {
		n.plan = n.plan.updated(now)
	}
	if n.plan.locked && now.Before(n.plan.due) {
		ctx, cancel := context.WithTimeout(p.live, tokenLook)
		defer cancel()
		if n.link.hasNewToken(ctx) {
			n.plan = n.plan.unlocked(time.Now())
		}
	}
}

// tokenLook is how often, and for how long, a node whose token was refused looks whether
// its source has another one. That costs orchestratord nothing.
const tokenLook = time.Second

// pause returns how long the pulse may rest.
func (p *pulse) pause() time.Duration {
	pause := time.Until(p.node.plan.due)
	if p.node.plan.locked {
		pause = min(pause, tokenLook)
	}
	return pause
}

func (p *pulse) stop() {
	p.alarm.Stop()
	p.idle()
	p.node.link.apart = false
	p.node.release()
	p.node.life.pulse.CompareAndSwap(p, nil)
	p.pools.end()
}

// done is closed after the last turn.
func (p *pulse) done() <-chan struct{} { return p.pools.ctx.Done() }
