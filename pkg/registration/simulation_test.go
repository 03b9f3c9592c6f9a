package registration_test

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
)

// The simulation puts fleets of real nodes before an orchestratord, on a network and in
// circumstances drawn from a seed. An oracle knows at each moment what each node owes, and
// every request, answer, event and status is held against it. `make simulate SEEDS=n NODES=n HOURS=n` runs more of it.
var (
	firstSeed = flag.Uint64("seed", 1, "first seed of the simulation")
	seeds     = flag.Int("seeds", 0, "seeds to simulate, 0 for the usual")
	fleet     = flag.Int("nodes", 8, "nodes in a simulated fleet")
	hours     = flag.Float64("hours", 0, "virtual hours per seed, 0 for the usual")
	progress  = flag.Bool("progress", false, "print a line for each seed")
)

func TestSimulation_heavy(t *testing.T) {
	drawn := newDraws()
	t.Run("world", func(t *testing.T) { simulateSeeds(t, drawn) })
	drawn.check(t)
}

func simulateSeeds(t *testing.T, drawn *draws) {
	long := cmp.Or(*hours, race.Share(t, 1, 0.25))
	duration := time.Duration(long * float64(time.Hour))
	count := cmp.Or(*seeds, race.Share(t, 12, 1))
	for seed := *firstSeed; seed < *firstSeed+uint64(count); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			w := simulate(t, seed, *fleet, duration, drawn)
			if *progress {
				took := time.Since(begin)
				rate := float64(*fleet) * duration.Hours() / took.Seconds()
				fmt.Fprintf(os.Stderr, "seed %-4d %d nodes × %v in %v: %.0f node-hours/s, %d requests, %s\n",
					seed, *fleet, duration, took.Round(time.Millisecond), rate, w.requests.Load(), w.summary())
			}
			if t.Failed() {
				t.Logf(
					"replay with: go test ./pkg/registration -run TestSimulation_heavy -seed %d -seeds 1 -nodes %d "+
						"-hours %v -v",
					seed, *fleet, long)
			}
		})
	}
}

// A seed decides the whole story: the same seed makes the same one.
func TestSimulationReplays_heavy(t *testing.T) {
	race.Skip(t)
	story := func() uint64 { return simulate(t, 7, 5, 20*time.Minute, newDraws()).fingerprint() }
	if first, second := story(), story(); first != second {
		t.Errorf("seed 7 makes two stories: %x and %x", first, second)
	}
}

// simulate runs a fleet through the circumstances of a seed.
func simulate(t *testing.T, seed uint64, nodes int, duration time.Duration, drawn *draws) *world {
	var w *world
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, seed, nodes, duration, drawn)
		for _, n := range w.nodes {
			w.running.Go(n.live)
		}
		for time.Since(w.begin) < duration {
			time.Sleep(time.Second)
			synctest.Wait()
			w.check()
		}
		w.end()
	})
	return w
}

// fingerprint sums up what every node did and when.
func (w *world) fingerprint() uint64 {
	sum := fnv.New64a()
	for _, n := range w.nodes {
		for _, s := range n.sent {
			fmt.Fprintln(sum, n.id, s.op, s.at.Sub(w.begin), s.fault)
		}
	}
	return sum.Sum64()
}
