package faults

import (
	"strings"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// fault is one fault, from when it was defined or switched on.
type fault struct {
	name       string
	definition control.FaultDefinition // with every default filled in
	clock      *clock.Clock
	since      time.Time

	on bool // which it is as defined until it is switched off; guarded by the set

	mu      sync.Mutex
	calls   map[call]int64
	acted   []action // what each rule has done
	applied int64
}

// call is what a call is counted by.
type call struct {
	operation control.Operation
	node      string
}

// action is what a rule has done so far.
type action struct {
	times int64
	last  time.Time
}

// maxCounted is how many nodes, times their operations, a fault counts the calls of: as many as
// 100,000 nodes have. Further ones are counted together, as one node. Rules still act on them,
// but the same seed no longer gives the same faults.
const maxCounted = 400_000

// others is in place of the id of nodes that there is no room for. No id has a *.
const others = "*"

func newFault(name string, definition control.FaultDefinition, clk *clock.Clock) *fault {
	definition = complete(definition)
	return &fault{
		name:       name,
		definition: definition,
		on:         *definition.Enabled,
		clock:      clk,
		since:      clk.Now(),
		calls:      map[call]int64{},
		acted:      make([]action, len(definition.Rules)),
	}
}

// complete fills in what a definition leaves out.
func complete(d control.FaultDefinition) control.FaultDefinition {
	defaults := schemas()
	if d.Enabled == nil {
		d.Enabled = &defaults.enabled
	}
	if d.Seed == nil {
		d.Seed = &defaults.seed
	}
	if d.Summary == nil {
		d.Summary = &defaults.summary
	}
	return d
}

// count counts a call, and returns which of its node to its operation it is, from 1.
func (f *fault) count(c call) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, counted := f.calls[c]; !counted {
		if len(f.calls) >= maxCounted {
			c.node = others
		}
		c.node = strings.Clone(c.node) // it may be a part of a request
	}
	f.calls[c]++
	return f.calls[c]
}

// pick returns what becomes of the nth call of a node to an operation, if a rule fits.
func (f *fault) pick(c call, n int64) (Verdict, bool) {
	now := f.clock.Now()
	for i, rule := range f.definition.Rules {
		draw := lots{seed: *f.definition.Seed, fault: f.name, rule: i, call: c, n: n}
		if matches(rule.Match, draw, now.Sub(f.since)) && f.act(i, rule.Match, now) {
			return Verdict{Fault: f.name, Latency: latency(rule.Effect, draw), Effect: rule.Effect}, true
		}
	}
	return Verdict{}, false
}

// act takes note that a rule acts, unless it has acted often enough, or just now.
func (f *fault) act(rule int, m *control.FaultMatch, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	acted := &f.acted[rule]
	if m != nil && acted.times > 0 {
		spent := m.Times != nil && acted.times >= *m.Times
		resting := m.PauseMs != nil && now.Sub(acted.last) < milliseconds(*m.PauseMs)
		if spent || resting {
			return false
		}
	}
	acted.times++
	acted.last = now
	f.applied++
	return true
}

func (f *fault) state() control.FaultState {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, preset := presets()[f.name]
	return control.FaultState{
		Name:    f.name,
		Summary: *f.definition.Summary,
		Enabled: f.on,
		Seed:    *f.definition.Seed,
		Rules:   f.definition.Rules,
		Preset:  preset,
		Applied: f.applied,
	}
}
