package registration

import (
	"context"
	"time"
)

// pulse owns a node and sends its heartbeats, and its registrations when they are due. No
// goroutine waits in between: its stack would be most of what a node holds. Timers and
// callers wake the pulse instead. It then has its turns, one at a time.
type pulse struct {
	node   *Node
	ctx    context.Context // ends the heartbeats
	live   context.Context // of requests; outlives ctx, as a request cut off may still take effect
	pools  *sampler
	busy   chan struct{} // full during a turn
	over   bool          // the last turn is over; belongs to the turn
	alarm  *time.Timer   // wakes the pulse when something is due
	disarm func() bool   // drops the wake at the end of ctx
}

// startPulse starts the pulse of a node that the caller owns. The pulse releases the node when
// the node or ctx ends.
func (n *Node) startPulse(ctx context.Context, status StatusFunc) {
	live := context.WithoutCancel(ctx)
	p := &pulse{node: n, ctx: ctx, live: live, pools: newSampler(live, n, status), busy: make(chan struct{}, 1)}
	n.link.apart = true
	n.observer.plan(n.plan.due)
	p.busy <- struct{}{} // no turn before everything is in place
	wake := p.wake
	p.alarm = time.AfterFunc(time.Until(n.plan.due), wake)
	p.disarm = context.AfterFunc(ctx, wake)
	n.life.pulse.Store(p)
	<-p.busy
	go wake()
}

// wake gives the pulse a turn: at once, or after the current one. Its callers see to it that
// few of them wait for a turn at the same time.
func (p *pulse) wake() {
	p.busy <- struct{}{}
	defer func() { <-p.busy }()
	if !p.over {
		p.over = !p.turn()
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
	p.disarm()
	p.node.link.apart = false
	p.node.release()
	p.node.life.pulse.CompareAndSwap(p, nil)
	p.pools.end()
}

// done is closed after the last turn.
func (p *pulse) done() <-chan struct{} { return p.pools.ctx.Done() }
