// Package faults decides which requests go wrong, and how. It knows no HTTP: a server asks
// it about each call of a node, and carries out its verdict.
//
//	set := faults.New(clock.New())
//	set.Switch("flaky", true)
//	if verdict, ok := set.Decide(control.OperationHeartbeatNode, "gpu-node-1"); ok {
//		fmt.Println(verdict.Fault, *verdict.Effect.Status)
//	}
//
// A fault is a list of rules, as the document of the control API defines them. They are
// tried in order, and the first that fits acts. Chance is drawn from a seed: the nth call
// of a node always meets the same fate, whatever other nodes do.
package faults

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// Set is the faults of a server, switched on or not. It is safe for concurrent use.
type Set struct {
	clock *clock.Clock
	on    atomic.Pointer[[]*fault] // those switched on, by name; nil when there are none

	mu      sync.Mutex
	inFront bool // of an orchestratord
	faults  map[string]*fault
	start   map[string]control.FaultDefinition // what Reset goes back to, besides the presets
}

// New returns the presets, all switched off. Time windows go by clk.
func New(clk *clock.Clock) *Set {
	s := &Set{clock: clk}
	s.Reset()
	return s
}

// StandInFront has the faults act on the traffic of another orchestratord. Its registry is its own,
// so there are no faults that change the registry from now on.
func (s *Set) StandInFront() {
	s.mu.Lock()
	s.inFront = true
	s.mu.Unlock()
	s.Reset()
}

// Load is Replace, and makes these faults what Reset goes back to. They are those that were
// given at the start, on a command line or in a file.
func (s *Set) Load(faults map[string]control.FaultDefinition) error {
	return s.replace(faults, true)
}

// Replace removes all faults but the presets, and adds these. A preset that is not among
// them is again what it was, switched off. The error is an Invalid, with pointers into a
// file of faults; then nothing has changed.
func (s *Set) Replace(faults map[string]control.FaultDefinition) error {
	return s.replace(faults, false)
}

func (s *Set) replace(faults map[string]control.FaultDefinition, start bool) error {
	if err := checkAll(faults); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var wrong Invalid
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		definition := faults[name]
		if s.inFront && (definition.Enabled == nil || *definition.Enabled) {
			wrong.ownRegistry("/faults/"+jsonpointer.Token(name), definition)
		}
	}
	if wrong != nil {
		return wrong
	}
	if start {
		s.start = maps.Clone(faults)
	}
	s.set(faults)
	return nil
}

// Reset makes the faults what they were at the start: the presets, and those of Load.
func (s *Set) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(s.start)
}

// set makes these the faults, besides the presets.
func (s *Set) set(faults map[string]control.FaultDefinition) {
	all := Presets()
	maps.Copy(all, faults)
	s.faults = make(map[string]*fault, len(all))
	for name, definition := range all {
		if s.inFront && changesRegistry(definition) {
			continue
		}
		s.faults[name] = newFault(name, definition, s.clock)
	}
	s.publish()
}

// Put adds a fault, or replaces the one of this name; its counts and draws begin anew.
// The error is an Invalid, with pointers into the definition; then nothing has changed.
func (s *Set) Put(name string, definition control.FaultDefinition) (control.FaultState, error) {
	if err := Check(name, definition); err != nil {
		return control.FaultState{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFront && changesRegistry(definition) {
		var wrong Invalid
		wrong.ownRegistry("", definition)
		return control.FaultState{}, wrong
	}
	if s.faults[name] == nil && len(s.faults) >= schemas().most {
		return control.FaultState{}, Invalid{{Detail: fmt.Sprintf("there are %d faults already: remove one first",
			len(s.faults))}}
	}
	return s.put(name, definition), nil
}

func (s *Set) put(name string, definition control.FaultDefinition) control.FaultState {
	f := newFault(name, definition, s.clock)
	s.faults[name] = f
	s.publish()
	return f.state()
}

// Switch switches a fault on, whereupon its counts and draws begin anew, or off. It
// reports false if there is none of this name.
func (s *Set) Switch(name string, on bool) (control.FaultState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults[name]
	switch {
	case f == nil:
		return control.FaultState{}, false
	case on:
		definition := f.definition
		definition.Enabled = &on
		return s.put(name, definition), true
	default: // what it has done is still reported
		f.on = false
		s.publish()
		return f.state(), true
	}
}

// Delete removes a fault; a preset is again what it was, switched off. It reports false
// if there is none of this name.
func (s *Set) Delete(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults[name] == nil {
		return false
	}
	if preset, ok := Presets()[name]; ok && !(s.inFront && changesRegistry(preset)) {
		s.put(name, preset)
		return true
	}
	delete(s.faults, name)
	s.publish()
	return true
}

// List returns all faults, ordered by name. Their rules are not to be changed.
func (s *Set) List() []control.FaultState {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]control.FaultState, 0, len(s.faults))
	for _, name := range slices.Sorted(maps.Keys(s.faults)) {
		list = append(list, s.faults[name].state())
	}
	return list
}

// Enabled returns the names of the faults that are switched on, in order. It is never nil.
func (s *Set) Enabled() []string {
	names := []string{}
	if on := s.on.Load(); on != nil {
		for _, f := range *on {
			names = append(names, f.name)
		}
	}
	return names
}

// Idle reports whether no fault is switched on, so that nothing need be known of a call.
func (s *Set) Idle() bool { return s.on.Load() == nil }

// Decide counts a call, and returns what is to become of it. It reports false if no
// fault acts on it. The node is "" for a call that concerns none. While no fault is
// switched on, it costs next to nothing.
func (s *Set) Decide(operation control.Operation, node string) (Verdict, bool) {
	on := s.on.Load()
	if on == nil {
		return Verdict{}, false
	}
	return decide(*on, call{operation, node})
}

// decide has every fault count a call, and returns the verdict of the first that acts.
func decide(on []*fault, c call) (verdict Verdict, decided bool) {
	for _, f := range on {
		n := f.count(c)
		if !decided {
			verdict, decided = f.pick(c, n)
		}
	}
	return verdict, decided
}

// publish makes the faults that are switched on known to Decide.
func (s *Set) publish() {
	var on []*fault
	for _, name := range slices.Sorted(maps.Keys(s.faults)) {
		if f := s.faults[name]; f.on {
			on = append(on, f)
		}
	}
	if on == nil {
		s.on.Store(nil)
		return
	}
	s.on.Store(&on)
}
