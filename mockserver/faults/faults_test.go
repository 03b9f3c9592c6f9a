package faults_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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

func advance(t *testing.T, clk *clock.Clock, d time.Duration) {
	t.Helper()
	if err := clk.Advance(d); err != nil {
		t.Fatal(err)
	}
}
