package faults_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
)

// TestChangesUnderCalls changes faults while calls come.
func TestChangesUnderCalls(t *testing.T) {
	set := faults.New(clock.New())
	definition := parse(t, "{match: {times: 10}, effect: {latency_max_ms: 9}}")
	var nodes sync.WaitGroup
	for n := range 4 {
		nodes.Go(func() {
			for range 500 {
				set.Decide(heartbeat, strconv.Itoa(n))
			}
		})
	}
	for n := range 100 {
		set.Switch("slow", n%2 == 0)
		if _, err := set.Put("it", definition["it"]); err != nil {
			t.Error(err)
		}
		set.List()
		set.Delete("it")
		set.Reset()
	}
	nodes.Wait()
}

func TestSet(t *testing.T) {
	set := faults.New(paused())
	presets := slices.Sorted(maps.Keys(faults.Presets()))
	if diff := cmp.Diff(presets, names(set)); diff != "" {
		t.Error(diff)
	}
	if got := set.Enabled(); got == nil || len(got) > 0 || !set.Idle() {
		t.Errorf("%q are on from the start", got)
	}
	loaded := parse(t, "{effect: {status: 500}}")
	if err := set.Load(loaded); err != nil {
		t.Fatal(err)
	}
	clear(loaded)
	other := parse(t, "{match: {times: 1}, effect: {status: 503}}")["it"]
	other.Summary = new("what it does")
	if state, err := set.Put("other", other); err != nil || !state.Enabled || state.Preset || state.Seed != 1 ||
		state.Summary != "what it does" {
		t.Errorf("put: %+v, %v", state, err)
	}
	if state, err := set.Put("flaky", other); err != nil || !state.Preset {
		t.Errorf("put in place of a preset: %+v, %v", state, err)
	}
	if got := set.Enabled(); !slices.Equal(got, []string{"flaky", "it", "other"}) {
		t.Errorf("%q are on", got)
	}
	if !set.Delete("flaky") || !set.Delete("other") || set.Delete("other") {
		t.Error("each should be deleted once")
	}
	if got := set.Enabled(); !slices.Equal(got, []string{"it"}) {
		t.Errorf("after what was put is deleted, %q are on", got)
	}
	if diff := cmp.Diff(faults.Presets()["flaky"].Rules, stateOf(t, set, "flaky").Rules); diff != "" {
		t.Errorf("a preset that is deleted: %s", diff)
	}
	if err := set.Replace(map[string]control.FaultDefinition{"other": other}); err != nil {
		t.Fatal(err)
	}
	if got := set.Enabled(); !slices.Equal(got, []string{"other"}) {
		t.Errorf("after a replacement, %q are on", got)
	}
	if err := set.Replace(nil); err != nil || !set.Idle() {
		t.Errorf("replaced by none, %q are on, %v", set.Enabled(), err)
	}
	set.Reset()
	if got := set.Enabled(); !slices.Equal(got, []string{"it"}) {
		t.Errorf("after a reset, %q are on", got)
	}
}

// TestSwitch has counts and times begin anew when a fault is switched on.
func TestSwitch(t *testing.T) {
	clk := paused()
	set := started(t, clk, "{match: {first_call: 2, last_call: 2, for_ms: 1000}, effect: {status: 503}}")
	act := func() (acted int64) {
		for range 3 {
			if _, acts := set.Decide(heartbeat, "gpu-node-1"); acts {
				acted++
			}
		}
		return acted
	}
	if act() != 1 || act() != 0 {
		t.Error("the second call alone should be acted on")
	}
	if state, ok := set.Switch("it", false); !ok || state.Enabled || state.Applied != 1 {
		t.Errorf("switched off: %+v, %t", state, ok)
	}
	advance(t, clk, time.Hour)
	if act() != 0 || !set.Idle() {
		t.Error("acts although switched off")
	}
	if state, ok := set.Switch("it", true); !ok || !state.Enabled || state.Applied != 0 {
		t.Errorf("switched on: %+v, %t", state, ok)
	}
	if act() != 1 {
		t.Error("calls or time did not begin anew")
	}
	if state, ok := set.Switch("it", true); !ok || !state.Enabled || state.Applied != 0 || act() != 1 {
		t.Errorf("switched on although it was on: %+v, %t", state, ok)
	}
	if state, ok := set.Switch("flaky", true); !ok || !state.Enabled || set.Idle() {
		t.Errorf("a preset, switched on: %+v, %t", state, ok)
	}
	if _, ok := set.Switch("nothing", true); ok {
		t.Error("a fault that is not there is switched on")
	}
}

func TestRoomForFaults(t *testing.T) {
	set := faults.New(paused())
	definition := parse(t, "{effect: {status: 500}}")["it"]
	for n := 0; ; n++ {
		if _, err := set.Put(fmt.Sprint("fault-", n), definition); err != nil {
			if len(set.List()) != 200 || !strings.Contains(err.Error(), "remove one first") {
				t.Errorf("with %d faults: %v", len(set.List()), err)
			}
			break
		}
	}
	if _, err := set.Put("fault-0", definition); err != nil {
		t.Errorf("one that is there already: %v", err)
	}
	many, presets := map[string]control.FaultDefinition{}, len(faults.Presets())
	for n := range 200 - presets {
		many[fmt.Sprint("fault-", n)] = definition
	}
	many["slow"] = definition
	if err := set.Load(many); err != nil || len(set.List()) != 200 {
		t.Errorf("as many as there may be: %d, %v", len(set.List()), err)
	}
	many["one-more"] = definition
	if err := set.Load(many); err == nil || !strings.Contains(err.Error(), "there would be 201 faults") {
		t.Errorf("one more: %v", err)
	}
}

func TestPresets(t *testing.T) {
	presets := faults.Presets()
	if diff := cmp.Diff(
		[]string{
			"amnesia", "auth-rotation", "clock-step", "flaky", "goaway", "idle-close", "outage", "router-404", "slow",
			"sticky-offline", "throttled",
		},
		slices.Sorted(maps.Keys(presets)),
	); diff != "" {
		t.Error(diff)
	}
	for name, preset := range presets {
		if *preset.Enabled || *preset.Summary == "" || strings.Contains(*preset.Summary, "\n") {
			t.Errorf("%s must be off and have a summary of one line", name)
		}
	}
}

func names(set *faults.Set) (names []string) {
	for _, state := range set.List() {
		names = append(names, state.Name)
	}
	return names
}

func stateOf(t *testing.T, set *faults.Set, name string) control.FaultState {
	t.Helper()
	for _, state := range set.List() {
		if state.Name == name {
			return state
		}
	}
	t.Fatalf("there is no fault %q", name)
	panic("unreachable")
}

func put(set *faults.Set, name string, definition control.FaultDefinition) error {
	_, err := set.Put(name, definition)
	return err
}
