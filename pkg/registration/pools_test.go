package registration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// mood is how a status callback answers.
type mood struct {
	name      string
	from, to  time.Duration // that it takes
	each      bool          // gives another answer at each call
	sometimes int           // one answer in so many is not as it should be, 0 for none
}

var moods = []mood{
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
	ids      []string
	free     int32
	calls    int64
	running  int
	draining time.Time // from when they drain, zero for never

	good []nodeapi.PoolStatus // what the last good answer comes to
	was  []nodeapi.PoolStatus // and the one before
	at   time.Time            // when it came
}

// callbackAnswer is one answer of the callback.
type callbackAnswer struct {
	takes  time.Duration
	status []registration.PoolStatus
	err    error
	panics bool
}

func newPools(l *life) *pools {
	p := &pools{life: l, node: l.node, ids: l.config.Pools}
	p.good = p.normal(nil)
	p.was = p.good
	return p
}

// change has the pools change now and then in a way that should not wait, until ctx ends.
func (p *pools) change(ctx context.Context, tell func()) {
	for p.node.sleep(ctx, span(p.node.changes, 300*time.Millisecond, 2*time.Minute)) {
		for range 1 + p.node.changes.IntN(4) {
			p.life.mu.Lock()
			p.free = (p.free + 1) % 1000
			p.life.mu.Unlock()
			tell()
			if !p.node.sleep(ctx, span(p.node.changes, time.Millisecond, 3*time.Second)) {
				return
			}
		}
	}
}

// asked is a call of the callback, which looks at the pools as they are.
func (p *pools) asked(now time.Time) callbackAnswer {
	if p.running++; p.running > 1 {
		p.node.world.violated(p.node, "calls the status callback a second time beside itself")
	}
	p.calls++
	a := callbackAnswer{}
	if p.node.mood.to > 0 {
		a.takes = span(p.node.moods, p.node.mood.from, p.node.mood.to)
	}
	if s := p.node.world.weather(); s != nil && s.badCallbacks {
		switch p.node.moods.IntN(8) {
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
	for i, id := range p.ids {
		one := registration.PoolStatus{
			PoolID: id, Ready: !drain, Draining: drain, SlotsFree: p.free, SlotsTotal: 1000 + int32(i), Engine: "llamacpp",
		}
		if p.node.mood.each {
			one.VRAMFreeBytes = p.calls
		}
		status = append(status, one)
	}
	if today || p.node.mood.sometimes == 0 || p.node.moods.IntN(p.node.mood.sometimes) > 0 {
		return status
	}
	switch p.node.moods.IntN(6) {
	case 0:
		return status[1:]
	case 1:
		return append(status, registration.PoolStatus{PoolID: "pool-of-another", Ready: true})
	case 2:
		return append(status, registration.PoolStatus{PoolID: p.ids[0]})
	case 3:
		status[0].Draining = true
	case 4:
		status[1].SlotsFree = status[1].SlotsTotal + 1
	case 5:
		status[0].SlotsFree = -1 // breaks the contract
	}
	return status
}

// answered is the end of a call.
func (p *pools) answered(now time.Time, a callbackAnswer) {
	p.running--
	bad := slices.ContainsFunc(a.status, func(s registration.PoolStatus) bool { return s.SlotsFree < 0 })
	if a.panics || a.err != nil || bad {
		return
	}
	p.was, p.good, p.at = p.good, p.normal(a.status), now
}

// normal is what a heartbeat says of the pools: each that is configured, once.
func (p *pools) normal(status []registration.PoolStatus) []nodeapi.PoolStatus {
	var all []nodeapi.PoolStatus
	for _, id := range p.ids {
		i := slices.IndexFunc(status, func(s registration.PoolStatus) bool { return s.PoolID == id })
		if i < 0 {
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
	want := p.good
	if p.at.Equal(now) && p.same(p.was, got) == "" {
		return ""
	}
	return p.same(want, got)
}

func (p *pools) same(want, got []nodeapi.PoolStatus) string {
	if len(got) != len(want) {
		return fmt.Sprintf("sends a heartbeat with %d pools, want each of %v", len(got), p.ids)
	}
	for i := range want {
		at := slices.IndexFunc(got, func(s nodeapi.PoolStatus) bool { return s.PoolID == want[i].PoolID })
		if at < 0 {
			return "sends a heartbeat that leaves out " + want[i].PoolID
		}
		g := got[at]
		if want[i].SlotsTotal == nil { // left out
			g = nodeapi.PoolStatus{PoolID: g.PoolID, Ready: g.Ready, SlotsFree: g.SlotsFree}
		}
		if d := diff("heartbeat", want[i], g); d != "" {
			return d
		}
	}
	return ""
}
