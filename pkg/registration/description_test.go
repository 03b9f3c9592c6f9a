package registration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// many returns half as many ids as a heartbeat may have pools.
func many(prefix string) (ids []string) {
	for i := range 128 {
		ids = append(ids, fmt.Sprintf("%s-%d", prefix, i))
	}
	return ids
}

// A large node is sent whole, and so are the pools that it had before.
func TestALargeNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		gpus := slices.Repeat([]registration.GPU{{Name: "RTX 4090", ComputeCapability: "8.9"}}, 1000)
		models := slices.Concat(many("a"), many("b"), many("c"))
		c.Pools, c.Capabilities.GPUs = many("old"), gpus
		c.Capabilities.GPUCount = int32(len(gpus))
		node := beating(t, c, func(context.Context) ([]registration.PoolStatus, error) {
			return []registration.PoolStatus{{PoolID: "new-127", ModelsAvailable: models}}, nil
		})
		d := registration.Description{Address: c.Address, Pools: many("new"), Capabilities: c.Capabilities}
		if err := node.Update(d); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		var said nodeapi.RegisterRequest
		if err := json.Unmarshal([]byte(w.of("register")[1].body), &said); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(said.Pools, many("new")) || len(*said.Capabilities.Gpus) != len(gpus) {
			t.Errorf("it registers with %d pools and %d GPUs", len(said.Pools), len(*said.Capabilities.Gpus))
		}
		beats := w.of("heartbeat")
		pools := beats[len(beats)-1].pools(t)
		if len(pools) != 2*len(many("")) || !slices.Equal(*pools[127].ModelsAvailable, models) {
			t.Errorf("its heartbeats have %d pools", len(pools))
		}
		node.Stop(t.Context())
	})
}

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

// One update takes one registration, and its pools are in the heartbeats at once, whatever became of it.
func TestAnUpdateRegistersOnce(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusOK:                  "register heartbeat register heartbeat heartbeat heartbeat",
		http.StatusUnprocessableEntity: "register heartbeat register heartbeat register heartbeat heartbeat",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, _ request) answer {
				if n == 2 {
					return answer{status: status, body: well("register").body}
				}
				return answer{}
			}}
			c := config(t, w) // of pool-0 and pool-1
			node := beating(t, c, ready)
			time.Sleep(time.Second)
			d := registration.Description{Address: c.Address, Pools: []string{"pool-2"}, Capabilities: c.Capabilities}
			if err := node.Update(d); err != nil {
				t.Fatal(err)
			}
			time.Sleep(25 * time.Second)
			if w.ops() != want {
				t.Errorf("answered %d, it sent %s, want %s", status, w.ops(), want)
			}
			if pools := w.sent()[3].pools(t); len(pools) != 3 || pools[0].PoolID != "pool-2" {
				t.Errorf("answered %d, the next heartbeat says %v", status, pools)
			}
			if err := node.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the contract does not allow changes nothing.
func TestAnUpdateIsChecked(t *testing.T) {
	w := &wire{}
	node := newNode(t, config(t, w))
	err := node.Update(registration.Description{Address: "somewhere", Pools: []string{"a/b"}})
	if !errors.Is(err, registration.ErrConfig) || !strings.Contains(err.Error(), "address is") ||
		!strings.Contains(err.Error(), "pools/0 is") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Update returned %v, want an ErrConfig with both faults on one line", err)
	}
	if err := errors.Join(node.Register(t.Context()), node.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	if body := w.sent()[0].body; !strings.Contains(body, "192.168.1.100") {
		t.Errorf("it registers as %s", body)
	}
}

// Pools that orchestratord has never heard of need no report.
func TestPoolsOfARegistrationThatWasRefusedAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			if n == 0 {
				return answer{status: http.StatusUnprocessableEntity}
			}
			return answer{}
		}}
		c := config(t, w) // of pool-0 and pool-1
		node := newNode(t, c)
		if err := node.Register(t.Context()); !errors.Is(err, registration.ErrRefused) {
			t.Fatalf("Register returned %v, want ErrRefused", err)
		}
		d := registration.Description{Address: c.Address, Pools: []string{"pool-0"}, Capabilities: c.Capabilities}
		if err := errors.Join(node.Update(d), node.StartHeartbeat(t.Context(), ready)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second) // a refusal is not repeated at once
		if pools := w.of("heartbeat")[0].pools(t); len(pools) != 1 || pools[0].PoolID != "pool-0" {
			t.Errorf("the first heartbeat says %v, want pool-0 alone", pools)
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
		pools := beats[len(beats)-1].pools(t)
		if first, final := pools[0].PoolID, pools[len(pools)-1].PoolID; first != "pool-599" || final != "pool-598" {
			t.Errorf("of %d pools it names %s first and %s last", len(pools), first, final)
		}
		for _, beat := range beats[len(beats)-5:] {
			if pools := beat.pools(t); !allowed(pools) || allowed(append(pools, pools[0])) {
				t.Errorf("it names %d pools", len(pools))
			}
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func allowed(pools []nodeapi.PoolStatus) bool {
	return nodeapi.HeartbeatRequest{Pools: pools}.Validate() == nil
}

// Pools that a node had are not named where it has as many as it may.
func TestANodeWithAsManyPoolsAsItMayNamesNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		node := registered(t, c)
		d := registration.Description{Address: c.Address, Capabilities: c.Capabilities}
		err := error(nil)
		for ; err == nil; err = node.Update(d) {
			d.Pools = append(d.Pools, fmt.Sprintf("later-%d", len(d.Pools)))
		}
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		pools := w.of("heartbeat")[0].pools(t)
		if !errors.Is(err, registration.ErrConfig) || len(pools) != len(d.Pools)-1 || !allowed(pools) {
			t.Errorf("it names %d pools, and has no more since %v", len(pools), err)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A pool that orchestratord knows from the registration, or may know from one whose answer was lost, is
// reported until the end, although it was taken away before the first heartbeat.
func TestAPoolThatWasTakenAwayBeforeTheFirstHeartbeatIsReported(t *testing.T) {
	for _, first := range []answer{{}, {err: io.ErrUnexpectedEOF}} {
		synctest.Test(t, func(t *testing.T) { takesAPoolAway(t, first) })
	}
}

func takesAPoolAway(t *testing.T, first answer) {
	w := &wire{answer: func(n int, _ request) answer {
		if n == 0 {
			return first
		}
		return answer{}
	}}
	c := config(t, w) // of pool-0 and pool-1
	node := newNode(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = node.Register(ctx)
	d := registration.Description{Address: c.Address, Capabilities: c.Capabilities, Pools: []string{"pool-0"}}
	if err := node.Update(d); err != nil {
		t.Fatal(err)
	}
	if err := node.Register(t.Context()); err != nil {
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
	d.Pools = c.Pools
	if err := node.Update(d); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	beats := w.of("heartbeat")
	if pools := beats[len(beats)-1].pools(t); len(pools) != 2 {
		t.Errorf("when the pool has come back the node says %v", pools)
	}
	if err := node.Stop(t.Context()); err != nil {
		t.Error(err)
	}
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
