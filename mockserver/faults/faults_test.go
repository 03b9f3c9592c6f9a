package faults_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
)

const (
	register   = control.OperationRegisterNode
	heartbeat  = control.OperationHeartbeatNode
	deregister = control.OperationDeregisterNode
	list       = control.OperationListNodes
)

// parse returns the one fault of this name whose rules, in the flow style of YAML, these
// are.
func parse(t *testing.T, rules ...string) map[string]control.FaultDefinition {
	t.Helper()
	parsed, err := faults.Parse([]byte("faults: {it: {rules: [" + strings.Join(rules, ", ") + "]}}"))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// started returns a set whose one fault beside the presets has these rules.
func started(t *testing.T, clk *clock.Clock, rules ...string) *faults.Set {
	t.Helper()
	set := faults.New(clk)
	if err := set.Load(parse(t, rules...)); err != nil {
		t.Fatal(err)
	}
	return set
}

func paused() *clock.Clock { return clock.PausedAt(time.Unix(1_000_000_000, 0)) }

// TestMatch makes ten heartbeats of a node, a second apart.
func TestMatch(t *testing.T) {
	for _, test := range []struct{ match, acts string }{
		{"{}", "1 2 3 4 5 6 7 8 9 10"},
		{"{first_call: 8}", "8 9 10"},
		{"{last_call: 2}", "1 2"},
		{"{first_call: 3, last_call: 4}", "3 4"},
		{"{every: 4}", "1 5 9"},
		{"{first_call: 2, every: 3, last_call: 8}", "2 5 8"},
		{"{after_ms: 7000}", "8 9 10"},
		{"{for_ms: 2000}", "1 2"},
		{"{after_ms: 1500, for_ms: 2000}", "3 4"},
		{"{times: 3}", "1 2 3"},
		{"{after_ms: 3000, times: 2}", "4 5"},
		{"{pause_ms: 4000}", "1 5 9"},
		{"{pause_ms: 4000, times: 2}", "1 5"},
		{"{probability: 0}", ""},
		{"{probability: 0.4}", "1 3 5 7 8"},
		{"{probability: 1}", "1 2 3 4 5 6 7 8 9 10"},
		{"{operations: [registerNode, heartbeatNode], last_call: 1}", "1"},
		{"{operations: [registerNode]}", ""},
		{"{node: 'gpu-node-*', last_call: 1}", "1"},
		{"{node: 'gpu-node-[0-9]', last_call: 1}", "1"},
		{"{node: 'gpu-node-?', last_call: 1}", "1"},
		{"{node: gpu-node}", ""},
	} {
		t.Run(test.match, func(t *testing.T) {
			clk := paused()
			set := started(t, clk, "{match: "+test.match+", effect: {status: 503}}")
			var acts []string
			for n := range 10 {
				if _, ok := set.Decide(heartbeat, "gpu-node-1"); ok {
					acts = append(acts, strconv.Itoa(n+1))
				}
				advance(t, clk, time.Second)
			}
			if got := strings.Join(acts, " "); got != test.acts {
				t.Errorf("acts on %q, want %q", got, test.acts)
			}
			if state := stateOf(t, set, "it"); state.Applied != int64(len(acts)) {
				t.Errorf("it acted %d times, and says %d", len(acts), state.Applied)
			}
		})
	}
}

// TestCallsAreCountedApart has a rule for the second call of each node to each operation.
func TestCallsAreCountedApart(t *testing.T) {
	set := started(t, paused(), "{match: {first_call: 2}, effect: {status: 503}}")
	for _, call := range []struct {
		operation control.Operation
		node      string
		acts      bool
	}{
		{register, "a", false},
		{heartbeat, "a", false},
		{heartbeat, "b", false},
		{list, "", false},
		{heartbeat, "a", true},
		{register, "a", true},
		{deregister, "a", false},
		{list, "", true},
		{heartbeat, "b", true},
	} {
		if _, acts := set.Decide(call.operation, call.node); acts != call.acts {
			t.Errorf("%s of %q: acts %t", call.operation, call.node, acts)
		}
	}
}

// A call that concerns no node is none of a rule for nodes, whichever these are.
func TestNoNode(t *testing.T) {
	set := started(t, paused(), "{match: {node: '*'}, effect: {status: 503}}")
	if _, acts := set.Decide(list, ""); acts {
		t.Error("a rule for nodes acts on a call that concerns none")
	}
}

// TestLatency waits for as long as a rule says.
func TestLatency(t *testing.T) {
	for effect, want := range map[string]time.Duration{
		"{status: 503}":                      0,
		"{latency_ms: 5}":                    5 * time.Millisecond,
		"{latency_ms: 5, latency_max_ms: 5}": 5 * time.Millisecond,
		"{latency_max_ms: 0}":                0,
	} {
		set := started(t, paused(), "{effect: "+effect+"}")
		for range 2 {
			if verdict, acts := set.Decide(heartbeat, "gpu-node-1"); !acts || verdict.Latency != want {
				t.Errorf("%s: acts %t, and has a call wait for %s", effect, acts, verdict.Latency)
			}
		}
	}
}

// TestRulesDrawApart has two rules, and then two faults, that act on every other call each.
func TestRulesDrawApart(t *testing.T) {
	half := "{match: {probability: 0.5}, effect: {status: 503}}"
	rules, apart := started(t, paused(), half, strings.ReplaceAll(half, "503", "504")), started(t, paused(), half)
	if err := put(apart, "other", parse(t, half)["it"]); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*faults.Set{"rules": rules, "faults": apart} {
		acted := 0
		for range 100 {
			if _, acts := set.Decide(heartbeat, "gpu-node-1"); acts {
				acted++
			}
		}
		if acted < 65 || acted > 85 {
			t.Errorf("of 100 calls two %s acted on %d", name, acted)
		}
	}
}

// TestFirstActs has several rules and faults fit.
func TestFirstActs(t *testing.T) {
	set := faults.New(paused())
	parsed, err := faults.Parse([]byte(`
faults:
  b:
    rules:
      - {match: {first_call: 2, last_call: 2}, effect: {status: 502}}
      - {match: {last_call: 3}, effect: {status: 503}}
  c:
    rules: [{match: {first_call: 3}, effect: {status: 504}}]
  a:
    rules: [{match: {last_call: 1}, effect: {status: 500}}]
  d:
    enabled: false
    rules: [{effect: {status: 501}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Load(parsed); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 4 {
		verdict, _ := set.Decide(heartbeat, "gpu-node-1")
		got = append(got, fmt.Sprint(verdict.Fault, *verdict.Effect.Status))
	}
	if diff := cmp.Diff([]string{"a500", "b502", "b503", "c504"}, got); diff != "" {
		t.Error(diff)
	}
	if got := set.Enabled(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%q are on", got)
	}
	if got := stateOf(t, set, "b").Applied; got != 2 {
		t.Errorf("two rules of one fault acted once each, and it says %d", got)
	}
}

// TestTheNextRuleActs has a rule that may not act again, or not yet. The one behind it does.
func TestTheNextRuleActs(t *testing.T) {
	for _, match := range []string{"{times: 1}", "{pause_ms: 1000}"} {
		set := started(t, paused(), "{match: "+match+", effect: {status: 503}}", "{effect: {status: 504}}")
		for _, want := range []int32{503, 504, 504} {
			if verdict, acts := set.Decide(heartbeat, "gpu-node-1"); !acts || *verdict.Effect.Status != want {
				t.Errorf("%s: acts %t with %+v, want %d", match, acts, verdict.Effect, want)
			}
		}
	}
}

// fates returns what becomes of 100 calls of each of ten nodes. In which order the nodes
// call, chance decides.
func fates(t *testing.T, seed int) map[string][]faults.Verdict {
	set := faults.New(paused())
	parsed, err := faults.Parse(fmt.Appendf(nil, `
faults:
  it:
    seed: %d
    rules:
      - {match: {operations: [heartbeatNode], probability: 0.3}, effect: {latency_max_ms: 1000}}
      - {match: {probability: 0.3}, effect: {latency_ms: 2000, latency_max_ms: 3000}}
`, seed))
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Load(parsed); err != nil {
		t.Fatal(err)
	}
	var (
		nodes sync.WaitGroup
		mu    sync.Mutex
	)
	got := map[string][]faults.Verdict{}
	for n := range 10 {
		node := fmt.Sprint("gpu-node-", n)
		nodes.Go(func() {
			var own []faults.Verdict
			for range 100 {
				verdict, _ := set.Decide(heartbeat, node)
				own = append(own, verdict)
				if rand.N(2) == 0 { // which counts for nothing
					set.Decide(register, fmt.Sprint(rand.N(1000)))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			got[node] = own
		})
	}
	nodes.Wait()
	return got
}

func TestSameSeedSameFaults(t *testing.T) {
	first := fates(t, 7)
	if diff := cmp.Diff(first, fates(t, 7)); diff != "" {
		t.Errorf("with the same seed: %s", diff)
	}
	if cmp.Equal(first, fates(t, 8)) {
		t.Error("another seed changes nothing")
	}
	if cmp.Equal(first["gpu-node-1"], first["gpu-node-2"]) {
		t.Error("two nodes meet the same fate")
	}
}

// TestChance holds draws to what they should be on average, within five standard
// deviations. The seed is fixed, so it fails always or never.
func TestChance(t *testing.T) {
	const calls = 10_000
	for effect, least := range map[string]time.Duration{
		"{latency_ms: 1000, latency_max_ms: 3000}": time.Second, "{latency_max_ms: 2000}": 0,
	} {
		set := started(t, paused(), "{match: {probability: 0.2}, effect: "+effect+"}")
		var acted, total float64
		for range calls {
			if verdict, acts := set.Decide(heartbeat, "gpu-node-1"); acts {
				acted++
				total += (verdict.Latency - least).Seconds()
				if verdict.Latency < least || verdict.Latency >= least+2*time.Second {
					t.Fatalf("%s: latency %s", effect, verdict.Latency)
				}
			}
		}
		if acted < 0.18*calls || acted > 0.22*calls {
			t.Errorf("%s: of %d calls it acted on %g", effect, calls, acted)
		}
		if mean := total / acted; mean < 0.93 || mean > 1.07 {
			t.Errorf("%s: the mean latency is %g s more than the least", effect, mean)
		}
	}
}

func TestTimesIsExact(t *testing.T) {
	set := started(t, paused(), "{match: {times: 100}, effect: {status: 503}}")
	var (
		nodes sync.WaitGroup
		acted atomic.Int64
	)
	for n := range 8 {
		nodes.Go(func() {
			for range 1000 {
				if _, acts := set.Decide(heartbeat, strconv.Itoa(n)); acts {
					acted.Add(1)
				}
			}
		})
	}
	nodes.Wait()
	if got := acted.Load(); got != 100 {
		t.Errorf("acted %d times", got)
	}
}

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

// TestManyNodes_heavy calls for more nodes than are counted apart.
func TestManyNodes_heavy(t *testing.T) {
	race.Skip(t)
	set := started(t, paused(), "{match: {first_call: 2, every: 2}, effect: {status: 503}}")
	for n := range 400_000 {
		if _, acts := set.Decide(heartbeat, strconv.Itoa(n)); acts {
			t.Fatalf("acts on the first call of node %d", n)
		}
	}
	for n, acts := range []bool{false, true, false, true} {
		if _, got := set.Decide(heartbeat, fmt.Sprint("beyond-", n)); got != acts {
			t.Errorf("call %d of the others: acts %t", n+1, got)
		}
	}
	if _, acts := set.Decide(heartbeat, "7"); !acts {
		t.Error("one that was counted is not counted on")
	}
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

// BenchmarkNoFault is what the faults cost a server that has none switched on.
func BenchmarkNoFault(b *testing.B) {
	set := faults.New(clock.New())
	b.ReportAllocs()
	for b.Loop() {
		set.Decide(heartbeat, "gpu-node-1")
	}
}

// BenchmarkFlaky is what it costs to decide on a call.
func BenchmarkFlaky(b *testing.B) {
	set := faults.New(clock.New())
	set.Switch("flaky", true)
	b.ReportAllocs()
	for b.Loop() {
		set.Decide(heartbeat, "gpu-node-1")
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

func advance(t *testing.T, clk *clock.Clock, d time.Duration) {
	t.Helper()
	if err := clk.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// In front of another orchestratord nothing changes its registry: not even a preset whose
// replacement was removed again.
func TestInFront(t *testing.T) {
	set := faults.New(clock.New())
	with := func(effect control.FaultEffect) control.FaultDefinition {
		return control.FaultDefinition{Rules: control.FaultRules{{Effect: effect}}}
	}
	harmless := with(control.FaultEffect{Status: new(int32(503))})
	forgets := with(control.FaultEffect{Restart: new(true)})
	marks := with(control.FaultEffect{Offline: new(control.FaultEffectOfflineAll)})
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
	left := slices.DeleteFunc(all, func(name string) bool {
		return slices.Contains([]string{"amnesia", "clock-step", "sticky-offline"}, name)
	})
	left = slices.Sorted(slices.Values(append(left, "mine")))
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
	forgets.Enabled = new(true)
	if err := set.Load(map[string]control.FaultDefinition{"a": forgets}); err == nil {
		t.Error("a fault that is on is taken")
	}
	forgets.Enabled = new(false) // as a file for any orchestratord has it
	err = set.Load(map[string]control.FaultDefinition{"a": forgets, "mine": harmless})
	if err != nil || !slices.Equal(names(set), left) {
		t.Errorf("with a fault that is off there are %q, %v", names(set), err)
	}
}

func put(set *faults.Set, name string, definition control.FaultDefinition) error {
	_, err := set.Put(name, definition)
	return err
}
