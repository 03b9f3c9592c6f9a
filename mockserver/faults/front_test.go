package faults_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
)

func with(effect control.FaultEffect) control.FaultDefinition {
	return control.FaultDefinition{Rules: control.FaultRules{{Effect: effect}}}
}

// One fault that leaves a registry alone, and two that change it.
var (
	harmless = with(control.FaultEffect{Status: new(int32(503))})
	forgets  = with(control.FaultEffect{Restart: new(true)})
	marks    = with(control.FaultEffect{Offline: new(control.FaultEffectOfflineAll)})
)

// inFront returns the faults of a mock in front of another orchestratord, one of them mine, and their
// names.
func inFront(t *testing.T) (set *faults.Set, left []string) {
	t.Helper()
	set = faults.New(clock.New())
	all := names(set)
	for _, each := range []error{
		set.Load(map[string]control.FaultDefinition{"amnesia": forgets}), put(set, "amnesia", marks),
	} {
		if each != nil {
			t.Errorf("in front of none: %v", each)
		}
	}
	if !set.Delete("amnesia") || !slices.Equal(names(set), all) {
		t.Errorf("in front of none there are %q", names(set))
	}
	if err := set.Load(map[string]control.FaultDefinition{"mine": harmless}); err != nil {
		t.Fatal(err)
	}
	set.StandInFront()
	left = slices.DeleteFunc(all, func(name string) bool {
		return slices.Contains([]string{"amnesia", "clock-step", "sticky-offline"}, name)
	})
	return set, slices.Sorted(slices.Values(append(left, "mine")))
}

// In front of another orchestratord nothing changes its registry: not even a preset whose
// replacement was removed again.
func TestInFront(t *testing.T) {
	set, left := inFront(t)
	if got := names(set); !slices.Equal(got, left) {
		t.Errorf("there are %q, want %q", got, left)
	}
	if err := put(set, "amnesia", harmless); err != nil {
		t.Error(err)
	}
	if !set.Delete("amnesia") || !slices.Equal(names(set), left) {
		t.Errorf("after one is removed there are %q, want %q", names(set), left)
	}
	if !set.Delete("flaky") || !slices.Equal(names(set), left) {
		t.Errorf("after a preset is removed there are %q, want %q", names(set), left)
	}
}

func TestRefusedInFront(t *testing.T) {
	set, left := inFront(t)
	for pointer, definition := range map[string]control.FaultDefinition{
		"/rules/0/effect/restart: ": forgets, "/rules/0/effect/offline: ": marks,
	} {
		if err := put(set, "amnesia", definition); err == nil || !strings.HasPrefix(err.Error(), pointer) {
			t.Errorf("error is %v, want one at %s", err, pointer)
		}
	}
	err := set.Load(map[string]control.FaultDefinition{
		"d": forgets, "b": forgets, "c": forgets, "a": forgets, "e": harmless,
	})
	var at []string
	if wrong := faults.Invalid(nil); errors.As(err, &wrong) {
		for _, violation := range wrong {
			at = append(at, violation.Pointer[:len("/faults/a")])
		}
	}
	if want := []string{"/faults/a", "/faults/b", "/faults/c", "/faults/d"}; !slices.Equal(at, want) {
		t.Errorf("it is wrong at %v, want %v", at, want)
	}
	if set.Reset(); !slices.Equal(names(set), left) {
		t.Errorf("what was refused is reset to: there are %q", names(set))
	}
	on, off := forgets, forgets
	on.Enabled, off.Enabled = new(true), new(false)
	if err := set.Load(map[string]control.FaultDefinition{"a": on}); err == nil {
		t.Error("a fault that is on is taken")
	}
	// One that is off is left out: a file may be for any orchestratord.
	err = set.Load(map[string]control.FaultDefinition{"a": off, "mine": harmless})
	if err != nil || !slices.Equal(names(set), left) {
		t.Errorf("with a fault that is off there are %q, %v", names(set), err)
	}
}
