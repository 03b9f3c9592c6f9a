package registration_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// ready is a status callback whose pools are well.
func ready(context.Context) ([]registration.PoolStatus, error) {
	return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
}

// registered returns a node that has registered and nothing else. One that is not accepted
// within 9 minutes, virtual in most tests, fails the test and does not hang it.
func registered(t *testing.T, c registration.Config) *registration.Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	node := newNode(t, c)
	if err := node.Register(ctx); err != nil {
		t.Fatal(err)
	}
	return node
}

// beating returns a node that is registered and has its heartbeats: the first of them
// after half a second, the others at half of the interval.
func beating(t *testing.T, c registration.Config, status registration.StatusFunc) *registration.Node {
	t.Helper()
	node := registered(t, c)
	if err := node.StartHeartbeat(t.Context(), status); err != nil {
		t.Fatal(err)
	}
	return node
}

func TestADayOfHeartbeats_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			return answer{delay: time.Duration(n%7) * 300 * time.Millisecond}
		}}
		c := config(t, w)
		c.RegisterEvery = -1
		node := beating(t, c, ready)
		time.Sleep(24 * time.Hour)
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		farewell := len(w.sent())
		time.Sleep(24 * time.Hour)

		beats := w.of("heartbeat")
		if n := len(beats); n < 8639 || n > 8641 {
			t.Errorf("%d heartbeats in 24 h at 10 s, want 8640 give or take the first's phase", n)
		}
		for i, beat := range beats[1:] {
			if want := beats[1].at.Add(time.Duration(i) * 10 * time.Second); !beat.at.Equal(want) {
				t.Fatalf("heartbeat %d is %v off its grid", i+1, beat.at.Sub(want))
			}
		}
		if w.peak() != 1 {
			t.Errorf("%d requests were in flight at once, want 1", w.peak())
		}
		if n := len(w.sent()); n != farewell {
			t.Errorf("%d requests were sent after Deregister had returned", n-farewell)
		}
	})
}

func TestWhatIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.Version = "1.2.3"
		c.Capabilities.CPUCores, c.Capabilities.RAMTotalBytes = 64, 256e9
		c.Capabilities.GPUs = []registration.GPU{{
			DeviceID: 0, Name: "RTX 3090", VRAMTotalBytes: 24e9,
			ComputeCapability: "8.6",
		}}
		node := beating(t, c, func(context.Context) ([]registration.PoolStatus, error) {
			return []registration.PoolStatus{
				{
					PoolID: "pool-0", Ready: true, SlotsFree: 3, SlotsTotal: 4, VRAMFreeBytes: 18e9, Engine: "llamacpp",
					ModelsAvailable: []string{"llama-3-8b"},
				},
				{PoolID: "pool-1", Draining: true, SlotsTotal: 2, ModelsAvailable: []string{}},
			}, nil
		})
		time.Sleep(time.Second)
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		sameJSON(t, w.of("register")[0].body, `{
			"node_id": "gpu-node-1", "machine_id": "machine-alpha", "address": "http://192.168.1.100:9200",
			"pools": ["pool-0", "pool-1"], "version": "1.2.3",
			"capabilities": {"gpu_count": 2, "total_vram_mb": 48000, "cuda_version": "12.1",
				"cpu_cores": 64, "ram_total_bytes": 256000000000, "gpus": [
				{"device_id": 0, "name": "RTX 3090", "vram_total_bytes": 24000000000, "compute_capability": "8.6"}]}}`)
		sameJSON(t, w.of("heartbeat")[0].body, `{
			"timestamp": "2000-01-01T00:00:00.5Z", "pools": [
			{"pool_id": "pool-0", "ready": true, "draining": false, "slots_free": 3, "slots_total": 4,
			 "vram_free_bytes": 18000000000, "engine": "llamacpp", "models_available": ["llama-3-8b"]},
			{"pool_id": "pool-1", "ready": false, "draining": true, "slots_free": 0, "slots_total": 2, "vram_free_bytes": 0,
			 "models_available": []}]}`)
		seen := map[string]bool{}
		for _, r := range w.sent() {
			if got := r.header.Get("Authorization"); got != "Bearer "+token {
				t.Errorf("%s: Authorization is %q", r.op, got)
			}
			if got := r.header.Get("User-Agent"); got != "llama-orch-node-registration" {
				t.Errorf("%s: User-Agent is %q", r.op, got)
			}
			id := r.header.Get("X-Correlation-Id")
			if id == "" || seen[id] {
				t.Errorf("%s: correlation id %q is missing or was used before", r.op, id)
			}
			seen[id] = true
		}
	})
}

// A list that is empty is sent as one: null breaks the contract.
func TestANodeWithNothingSendsEmptyLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.Pools, c.Capabilities = nil, registration.Capabilities{}
		node := beating(t, c, func(context.Context) ([]registration.PoolStatus, error) { return nil, nil })
		time.Sleep(time.Second)
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		sameJSON(t, w.of("register")[0].body, `{
			"node_id": "gpu-node-1", "machine_id": "machine-alpha", "address": "http://192.168.1.100:9200", "pools": [],
			"capabilities": {"gpu_count": 0, "total_vram_mb": 0, "cuda_version": "", "gpus": []}}`)
		sameJSON(t, w.of("heartbeat")[0].body, `{"timestamp": "2000-01-01T00:00:00.5Z", "pools": []}`)
	})
}

// The first heartbeat comes within a second, in proportion to what is drawn.
func TestJitterBeyondItsRangeIsBounded(t *testing.T) {
	for drawn, want := range map[float64]time.Duration{
		math.Inf(-1): 0, math.NaN(): 0, -1: 0, 0: 0,
		0.25: 250 * time.Millisecond,
		1:    time.Second, 7: time.Second, math.Inf(1): time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{}
			c := config(t, w)
			c.Jitter = func() float64 { return drawn }
			node := beating(t, c, ready)
			time.Sleep(10 * time.Second)
			if late := want - w.sent()[1].at.Sub(w.sent()[0].at); late < 0 || late > time.Microsecond {
				t.Errorf("with %v drawn, the first heartbeat came %v before %v", drawn, late, want)
			}
			if err := node.Deregister(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := errors.Join(json.Unmarshal([]byte(got), &g), json.Unmarshal([]byte(want), &w)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestWithoutATokenNoneIsSent(t *testing.T) {
	w := &wire{}
	c := config(t, w)
	c.APIToken = nil
	if err := newNode(t, c).Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.sent()[0].header.Values("Authorization"); len(got) != 0 {
		t.Errorf("Authorization is %q", got)
	}
}

// A tracer that does nothing leaves no trace.
func TestATracerThatDoesNothing(t *testing.T) {
	w := &wire{}
	c := config(t, w)
	c.TracerProvider = noop.NewTracerProvider()
	node := registered(t, c)
	if got := w.sent()[0].header.Values("Traceparent"); len(got) != 0 {
		t.Errorf("Traceparent is %q", got)
	}
	if err := node.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAfterAnOutage(t *testing.T) {
	for name, test := range map[string]struct {
		down  time.Duration
		first string
	}{"short": {15 * time.Second, "heartbeat"}, "long": {2 * time.Minute, "register"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				back := begin.Add(30*time.Second + test.down)
				w := &wire{answer: func(_ int, r request) answer {
					if !r.at.Before(begin.Add(30*time.Second)) && r.at.Before(back) {
						return answer{err: errors.New("connection refused")}
					}
					return answer{}
				}}
				node := beating(t, config(t, w), ready)
				time.Sleep(time.Until(back.Add(10 * time.Second)))
				var after []request
				for _, r := range w.sent() {
					if !r.at.Before(back) {
						after = append(after, r)
					}
				}
				if len(after) == 0 || after[0].op != test.first || after[len(after)-1].op != "heartbeat" {
					t.Errorf("within an interval of the return it sent %v, want a %s first and a heartbeat", after,
						test.first)
				}
				node.Deregister(t.Context())
			})
		})
	}
}

func TestAHeartbeatWithoutAnswerIsDroppedBeforeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n == 2 {
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(36 * time.Second)
		beats := w.of("heartbeat")
		if pause := beats[2].at.Sub(beats[1].at); pause < 5*time.Second || pause > 6*time.Second {
			t.Errorf("the heartbeat after the lost one came after %v", pause)
		}
		last := beats[len(beats)-1]
		if offset := (last.at.Sub(w.sent()[0].at) - 5*time.Second) % (10 * time.Second); offset != 0 || w.peak() != 1 {
			t.Errorf("back %v off the grid, %d in flight at most", offset, w.peak())
		}
		node.Deregister(t.Context())
	})
}

func TestALostTokenIsAskedForSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n > 0 {
				return answer{status: 401}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Hour)
		if n := len(w.sent()); n < 60 || n > 125 {
			t.Errorf("%d requests in an hour without a valid token, want one or two a minute", n)
		}
		if err := node.Deregister(t.Context()); !errors.Is(err, registration.ErrUnauthorized) {
			t.Errorf("Deregister: %v, want ErrUnauthorized", err)
		}
	})
}
