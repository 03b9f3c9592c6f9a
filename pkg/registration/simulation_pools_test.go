package registration_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// behaviour is how a status callback answers.
type behaviour struct {
	name      string
	from, to  time.Duration // that it takes
	each      bool          // gives another answer at each call
	sometimes int           // one answer in so many is not as it should be, 0 for none
}

var behaviours = []behaviour{
	{name: "instant", each: true},
	{name: "instant and sloppy", each: true, sometimes: 3},
	{name: "quick", from: time.Millisecond, to: 95 * time.Millisecond, each: true},
	{name: "slow", from: 105 * time.Millisecond, to: time.Second},
	{name: "uneven", from: 10 * time.Millisecond, to: 300 * time.Millisecond},
}

// pools are the pools of a node: how they are, and what the callback says of them.
type pools struct {
	life     *life
	node     *simNode
	ids      []string  // that a heartbeat has named, or a registration
	served   []string  // that are configured now
	changed  time.Time // when they were last
	added    map[string]time.Time
	free     int32
	calls    int64
	running  int
	draining time.Time // from when they drain, zero for never

	good []registration.PoolStatus // the last good answer
	was  []registration.PoolStatus // and the one before
	at   time.Time                 // when it came
	bad  time.Time                 // since when there has been none although one was due, zero for there is
}

// callbackAnswer is one answer of the callback.
type callbackAnswer struct {
	start    int // of the heartbeats
	asked    time.Time
	covers   bool // a change that was notified
	mayCover bool
	takes    time.Duration
	status   []registration.PoolStatus
	err      error
	panics   bool
}

func newPools(l *life) *pools {
	return &pools{life: l, node: l.node, served: l.config.Pools, added: map[string]time.Time{}}
}

// change has the pools change now and then in a way that should not wait, until ctx ends.
func (p *pools) change(ctx context.Context) {
	for p.node.sleep(ctx, span(p.node.changes, 300*time.Millisecond, 2*time.Minute)) {
		for range 1 + p.node.changes.IntN(4) {
			p.life.mu.Lock()
			p.free = (p.free + 1) % 1000
			p.life.mu.Unlock()
			if p.node.changes.IntN(12) == 0 {
				p.life.update(p.another())
			} else {
				p.life.tell()
			}
			if !p.node.sleep(ctx, span(p.node.changes, time.Millisecond, 3*time.Second)) {
				return
			}
		}
	}
}

// another is what a node may come to say of itself.
func (p *pools) another() registration.Description {
	d := p.life.described
	sets := [][]string{{"pool-0", "pool-1"}, {"pool-1", "pool-0"}, {"pool-0", "pool-2"}, {"pool-0", "pool-1", "pool-2"}}
	d.Pools = sets[p.node.changes.IntN(len(sets))]
	d.Version = fmt.Sprintf("2.%d", p.node.changes.IntN(100))
	return d
}

// serve changes the pools of the node. One that it does not have any more is in its heartbeats
// still, and not ready.
func (p *pools) serve(now time.Time, ids []string) {
	for _, id := range ids {
		if !slices.Contains(p.served, id) {
			p.added[id] = now
		}
	}
	p.served, p.changed = ids, now
}

// again is a new start of the heartbeats, which knows of no answer yet.
func (p *pools) again() {
	p.was, p.good, p.bad = nil, nil, time.Time{}
}

// asked is a call of the callback, which looks at the pools as they are.
func (p *pools) asked(now time.Time) callbackAnswer {
	if p.running++; p.running > 1 {
		p.node.world.violated(p.node, "calls the status callback a second time beside itself")
	}
	p.calls++
	o := p.life.oracle
	a := callbackAnswer{asked: now, start: p.life.starts, covers: o.unsaid, mayCover: o.perhaps}
	o.unsaid, o.perhaps = false, false
	if p.node.behaviour.to > 0 {
		a.takes = span(p.node.callback, p.node.behaviour.from, p.node.behaviour.to)
	}
	if s := p.node.world.weather(); s != nil && s.badCallbacks {
		switch p.node.callback.IntN(8) {
		case 0:
			a.takes = p.node.world.begin.Add(s.to).Sub(now)
		case 1:
			a.panics = true
		case 2:
			a.err = errors.New("no driver")
		}
	}
	a.status = p.say(now)
	return a
}

// say returns the pools as they are; a sloppy callback leaves some out, or makes some up.
func (p *pools) say(now time.Time) []registration.PoolStatus {
	var status []registration.PoolStatus
	drain := !p.draining.IsZero() && !now.Before(p.draining)
	for i, id := range p.served {
		one := registration.PoolStatus{
			PoolID: id, Ready: !drain, Draining: drain, SlotsFree: p.free, SlotsTotal: 1000 + int32(i),
			Engine: "llamacpp",
		}
		if p.node.behaviour.each {
			one.VRAMFreeBytes = p.calls
		}
		status = append(status, one)
	}
	if p.node.behaviour.sometimes == 0 || p.node.callback.IntN(p.node.behaviour.sometimes) > 0 {
		return status
	}
	switch p.node.callback.IntN(6) {
	case 0:
		return status[1:]
	case 1:
		return append(status, registration.PoolStatus{PoolID: "pool-of-another", Ready: true})
	case 2:
		return append(status, registration.PoolStatus{PoolID: p.served[0]})
	case 3:
		status[0].Draining = true
	case 4:
		status[len(status)-1].SlotsFree = 100_000
	case 5:
		status[0].SlotsFree = -1 // breaks the contract
	}
	return status
}

// answered is the end of a call. One that covers a change and came too late for its heartbeat
// is a change itself.
func (p *pools) answered(now time.Time, a callbackAnswer) {
	if a.start != p.life.starts {
		return // nobody waits for it any more
	}
	p.running--
	switch o := p.life.oracle; {
	case now.Sub(a.asked) <= patience || p.life.over || o.silent:
	case a.covers || o.unsaid:
		o.changed(now)
	case a.mayCover || o.perhaps:
		o.mayHaveChanged(now)
	}
	bad := slices.ContainsFunc(a.status, func(s registration.PoolStatus) bool { return s.SlotsFree < 0 })
	if a.panics || a.err != nil || bad {
		p.fails(now)
		return
	}
	p.was, p.good, p.at, p.bad = p.good, a.status, now, time.Time{}
}

// normal is what a heartbeat says of the pools: each that is configured, once.
func (p *pools) normal(status []registration.PoolStatus) []nodeapi.PoolStatus {
	var all []nodeapi.PoolStatus
	for _, id := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.ids, p.served)))) {
		i := slices.IndexFunc(status, func(s registration.PoolStatus) bool { return s.PoolID == id })
		if i < 0 || !slices.Contains(p.served, id) {
			all = append(all, nodeapi.PoolStatus{PoolID: id})
			continue
		}
		s := status[i]
		s.SlotsFree = min(s.SlotsFree, s.SlotsTotal)
		one := nodeapi.PoolStatus{
			PoolID: id, Ready: s.Ready && !s.Draining, Draining: &s.Draining,
			SlotsFree: s.SlotsFree, SlotsTotal: &s.SlotsTotal, VRAMFreeBytes: &s.VRAMFreeBytes,
		}
		if s.Engine != "" {
			one.Engine = &s.Engine
		}
		all = append(all, one)
	}
	return all
}

// wrong returns what is wrong with the pools of a heartbeat.
func (p *pools) wrong(now time.Time, got []nodeapi.PoolStatus) string {
	defer func() {
		for _, pool := range got {
			p.known([]string{pool.PoolID})
		}
	}()
	if now.Sub(p.changed) <= patience {
		return "" // which pools it has may have changed meanwhile
	}
	p.sampled(now)
	silent, complain := now.Sub(p.bad), p.unlike(p.normal(p.good), got)
	switch timeout := p.life.oracle.nodeTimeout; {
	case p.at.Equal(now) && p.unlike(p.normal(p.was), got) == nil:
		return ""
	case p.bad.IsZero():
	case silent > timeout+time.Second, silent >= timeout && complain != nil:
		return p.alive(got)
	}
	if complain == nil {
		return ""
	}
	return complain()
}

// known takes note of pools that orchestratord knows by now.
func (p *pools) known(ids []string) {
	for _, id := range ids {
		if !slices.Contains(p.ids, id) {
			p.ids = append(p.ids, id)
		}
	}
}

// sampled is when a heartbeat waits for the callback no more.
func (p *pools) sampled(now time.Time) {
	if p.running > 0 {
		p.fails(now)
	}
}

// fails is a heartbeat for which the callback has given no good answer.
func (p *pools) fails(now time.Time) {
	if p.bad.IsZero() {
		p.bad = now
	}
}

// alive returns which pool counts as ready although the callback has long been silent.
func (p *pools) alive(got []nodeapi.PoolStatus) string {
	for _, pool := range got {
		if pool.Ready || pool.SlotsFree > 0 {
			return fmt.Sprintf("says that %s is ready, and its callback is silent since %v", pool.PoolID, p.bad)
		}
	}
	return ""
}

// unlike returns how got differs from want, in words that are slow to find and seldom asked for, and nil
// if it does not.
func (p *pools) unlike(want, got []nodeapi.PoolStatus) func() string {
	if len(got) != len(want) {
		return func() string {
			return fmt.Sprintf("sends a heartbeat with %d pools, want each of %v", len(got), p.ids)
		}
	}
	for i := range want {
		at := slices.IndexFunc(got, func(s nodeapi.PoolStatus) bool { return s.PoolID == want[i].PoolID })
		if at < 0 {
			return func() string { return "sends a heartbeat that leaves out " + want[i].PoolID }
		}
		g := got[at]
		if p.added[g.PoolID].After(p.at) {
			continue // what was said of it before it was taken away counts no more
		}
		if want[i].SlotsTotal == nil { // left out
			g = nodeapi.PoolStatus{PoolID: g.PoolID, Ready: g.Ready, SlotsFree: g.SlotsFree}
		}
		if !reflect.DeepEqual(want[i], g) {
			return func() string { return diff("heartbeat", want[i], g) }
		}
	}
	return nil
}
