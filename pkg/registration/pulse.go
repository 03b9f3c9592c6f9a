package registration

import (
	"context"
	"sync/atomic"
	"time"
)

// pulse owns a node and sends its heartbeats, and its registrations when they are due. No
// goroutine waits in between: its stack would be most of what a node holds. Timers and
// callers wake the pulse instead. It then has its turns, one at a time.
type pulse struct {
	node  *Node
	ctx   context.Context // ends the heartbeats
	live  context.Context // of requests; outlives ctx, as a request cut off may still take effect
	pools *sampler
	alarm *time.Timer  // wakes the pulse when something is due
	calls atomic.Int32 // of wake, since it last rested; above 0 while there are turns
	idle  func() bool  // disarms the wake at the end of ctx
}

// beat starts the pulse of a node that the caller owns. The pulse releases the node when
// the node or ctx ends.
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

// wake gives the pulse a turn: at once, or after the current one.
func (p *pulse) wake() {
	if p.calls.Add(1) == 1 {
		p.turns()
	}
}

// turns has turns until no wake came during the last one. After the end of the pulse calls
// stays above zero, so that no later wake starts a turn.
func (p *pulse) turns() {
	for {
		calls := p.calls.Load()
		if !p.turn() || p.calls.CompareAndSwap(calls, 0) {
			return
		}
	}
}

// turn does what is due, and reports whether the pulse goes on.
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

// tokenLook is how often a node whose token was refused asks its source for another one,
// and how long it waits for the source. That costs orchestratord nothing.
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
