package faults_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/faults"
)

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
