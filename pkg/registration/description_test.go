package registration_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// A program that updates its node without end neither starves the heartbeats nor makes a storm.
func TestUpdatesWithoutEndStarveNoHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, request) answer { return answer{delay: 100 * time.Millisecond} }}
		c := config(t, w)
		node := beating(t, c, ready)
		for range 20 * 60 {
			d := registration.Description{Address: c.Address, Pools: c.Pools, Capabilities: c.Capabilities}
			if err := node.Update(d); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		registers, beats := len(w.of("register")), len(w.of("heartbeat"))
		if registers < 30 || registers > 61 || beats < registers-1 {
			t.Errorf("in a minute it registers %d times and beats %d times, want each about once a second", registers,
				beats)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Of pools that come and go without end, the latest to go are in the heartbeats still.
func TestPoolsThatWereTakenAwayGiveWayToLaterOnes_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		node := beating(t, c, ready)
		for i := range 600 {
			d := registration.Description{Address: c.Address, Capabilities: c.Capabilities}
			d.Pools = []string{fmt.Sprintf("pool-%d", i)}
			if err := node.Update(d); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
		}
		beats := w.of("heartbeat")
		last := beats[len(beats)-1]
		pools := last.pools(t)
		if first, final := pools[0].PoolID, pools[len(pools)-1].PoolID; len(pools) < 200 || first != "pool-599" ||
			final != "pool-598" {
			t.Errorf("it names %d pools, of them %s first and %s last", len(pools), first, final)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A pool that orchestratord knows from the registration is reported until the end, although it
// was taken away before the first heartbeat.
func TestAPoolThatWasTakenAwayBeforeTheFirstHeartbeatIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w) // of pool-0 and pool-1
		node := registered(t, c)
		d := registration.Description{Address: c.Address, Capabilities: c.Capabilities, Pools: []string{"pool-0"}}
		if err := node.Update(d); err != nil {
			t.Fatal(err)
		}
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for i, beat := range w.of("heartbeat") {
			pools := beat.pools(t)
			if len(pools) != 2 || pools[0].PoolID != "pool-0" || !pools[0].Ready || pools[1].PoolID != "pool-1" ||
				pools[1].Ready {
				t.Errorf("heartbeat %d says %v", i, pools)
			}
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What a caller does with its own memory after New and Update is no business of the node's.
func TestADescriptionIsTheNodesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		gpu := registration.GPU{Name: "RTX 3090", VRAMTotalBytes: 24e9, ComputeCapability: "8.6"}
		c := config(t, w)
		c.Pools, c.Capabilities.GPUs = []string{"pool-0"}, []registration.GPU{gpu}
		node := newNode(t, c)
		c.Pools[0], c.Capabilities.GPUs[0].Name = "spoilt", "spoilt"
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := registration.Description{
			Address: c.Address, Pools: []string{"pool-1"},
			Capabilities: registration.Capabilities{GPUs: []registration.GPU{gpu}},
		}
		if err := node.Update(d); err != nil {
			t.Fatal(err)
		}
		d.Pools[0], d.Capabilities.GPUs[0].Name = "spoilt", "spoilt"
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range w.of("register") {
			if strings.Contains(r.body, "spoilt") {
				t.Errorf("it registers as %s", r.body)
			}
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
