package registration_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A fault of the status callback must neither delay a heartbeat nor empty it.
func TestAFaultyStatusCallback(t *testing.T) {
	fine := []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4}}
	for name, fault := range map[string]registration.StatusFunc{
		"blocks for ever": func(ctx context.Context) ([]registration.PoolStatus, error) {
			<-ctx.Done()
			return nil,
				ctx.Err()
		},
		"is slow": func(context.Context) ([]registration.PoolStatus, error) {
			time.Sleep(time.Minute)
			return nil, errors.New("late")
		},
		"panics": func(context.Context) ([]registration.PoolStatus, error) { panic("out of pools") },
		"fails beside a status": func(context.Context) ([]registration.PoolStatus, error) {
			return []registration.PoolStatus{{PoolID: "pool-0", SlotsTotal: 4}}, errors.New("half of it is old")
		},
		"fails": func(context.Context) ([]registration.PoolStatus, error) { return nil, errors.New("no driver") },
		"breaks a limit": func(context.Context) ([]registration.PoolStatus, error) {
			return []registration.PoolStatus{{PoolID: "pool-0", SlotsFree: -1}}, nil
		},
		"has a bad pool id": func(context.Context) ([]registration.PoolStatus, error) {
			return []registration.PoolStatus{{PoolID: "a/b"}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				calls := 0
				node := beating(t, config(t, w), func(ctx context.Context) ([]registration.PoolStatus, error) {
					if calls++; calls == 2 {
						return fault(ctx)
					}
					return fine, nil
				})
				time.Sleep(37 * time.Second)
				beats := w.of("heartbeat")
				if len(beats) != 4 {
					t.Fatalf("%d heartbeats in 37 s, want 4", len(beats))
				}
				for i, beat := range beats {
					if late := beat.at.Sub(w.sent()[0].at) - []time.Duration{
						500 * time.Millisecond, 15 * time.Second,
						25 * time.Second, 35 * time.Second,
					}[i]; late > 100*time.Millisecond {
						t.Errorf("heartbeat %d was %v late", i, late)
					}
					if pools := beat.pools(t); len(pools) != 2 || !pools[0].Ready || pools[0].SlotsFree != 4 ||
						pools[1].Ready {
						t.Errorf("heartbeat %d said %v, want the last known status, and the other pool not ready", i,
							pools)
					}
				}
				if err := node.Deregister(t.Context()); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute) // for the callback that is merely slow
			})
		})
	}
}

// A callback that reuses its memory must not change the status it gave before.
func TestAStatusIsTheNodesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		models := []string{"llama-3-8b"}
		calls := 0
		node := beating(t, config(t, w), func(ctx context.Context) ([]registration.PoolStatus, error) {
			if calls++; calls == 2 {
				models[0] = "mistral-7b"
				<-ctx.Done()
			}
			return []registration.PoolStatus{{PoolID: "pool-0", ModelsAvailable: models}}, nil
		})
		time.Sleep(16 * time.Second)
		if sent := *w.of("heartbeat")[1].pools(t)[0].ModelsAvailable; sent[0] != "llama-3-8b" {
			t.Errorf("the last known status became %q before the callback answered", sent)
		}
		node.Deregister(t.Context())
	})
}

func TestBeforeTheFirstStatusPoolsAreNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := beating(t, config(t, w), func(context.Context) ([]registration.PoolStatus, error) {
			return nil, errors.New("still starting")
		})
		time.Sleep(6 * time.Second)
		pools := w.of("heartbeat")[0].pools(t)
		if len(pools) != 2 || pools[0].PoolID != "pool-0" || pools[0].Ready || pools[1].PoolID != "pool-1" ||
			pools[1].Ready {
			t.Errorf("the first heartbeat said %v, want both pools not ready", pools)
		}
		node.Deregister(t.Context())
	})
}

func TestALateStatusIsNotTakenForAFreshOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		calls := 0
		node := beating(t, config(t, w), func(context.Context) ([]registration.PoolStatus, error) {
			calls++
			free := int32(calls)
			if calls == 1 {
				time.Sleep(3 * time.Second)
			}
			return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: free}}, nil
		})
		time.Sleep(16 * time.Second)
		if free := w.of("heartbeat")[1].pools(t)[0].SlotsFree; free != 2 {
			t.Errorf("the heartbeat after a late answer carries answer %d, want a new one", free)
		}
		node.Deregister(t.Context())
	})
}

// A status that contradicts itself is sent as less work rather than more. A person learns from the event
// which pool is reported wrongly, and how.
func TestAStatusThatContradictsItselfIsRepaired(t *testing.T) {
	const contradicts = "the status contradicts itself or the registration: "
	pool := func(ready, draining bool, free, total int32) registration.PoolStatus {
		return registration.PoolStatus{
			PoolID: "pool-0", Ready: ready, Draining: draining, SlotsFree: free, SlotsTotal: total,
		}
	}
	stranger := registration.PoolStatus{PoolID: "pool-7", Ready: true, SlotsFree: 7}
	none := pool(false, false, 0, 0)
	strangers := func(ids ...string) (pools []registration.PoolStatus) {
		for _, id := range ids {
			pools = append(pools, registration.PoolStatus{PoolID: id})
		}
		return pools
	}
	five := strings.Replace("pool a% pool b% pool c% pool d% pool e is not one of the node's", "%",
		" is not one of the node's;", 4)
	for name, test := range map[string]struct {
		status []registration.PoolStatus
		sent   registration.PoolStatus // of pool-0
		says   string
	}{
		"none":        {nil, none, ""},
		"total unset": {[]registration.PoolStatus{pool(true, false, 4, 0)}, pool(true, false, 4, 4), ""},
		"draining":    {[]registration.PoolStatus{pool(false, true, 1, 4)}, pool(false, true, 1, 4), ""},
		"ready and draining": {
			[]registration.PoolStatus{pool(true, true, 1, 4)},
			pool(false, true, 1, 4),
			contradicts + "pool pool-0 is ready and draining",
		},
		"five faults": {strangers("a", "b", "c", "d", "e"), none, contradicts + five},
		"six faults":  {strangers("a", "b", "c", "d", "e", "f"), none, contradicts + five + "; and 1 more"},
		"too much is free": {
			[]registration.PoolStatus{pool(true, false, 5, 4)},
			pool(true, false, 4, 4),
			contradicts + "pool pool-0 has 5 free slots of 4",
		},
		"not the node's": {
			[]registration.PoolStatus{stranger, pool(true, false, 4, 4)},
			pool(true, false, 4, 4),
			contradicts + "pool pool-7 is not one of the node's",
		},
		"twice": {
			[]registration.PoolStatus{pool(true, false, 3, 4), pool(true, false, 4, 4)},
			pool(true, false, 3, 4),
			contradicts + "pool pool-0 is named twice",
		},
		"of another form": {
			[]registration.PoolStatus{{PoolID: "a/b"}},
			none,
			"the status callback breaks the contract: pools/0/pool_id is \"a/b\"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var faults string
				w := &wire{}
				c := config(t, w)
				c.OnEvent = func(e registration.Event) {
					if e.Type == registration.EventStatusFault {
						faults += e.Err.Error()
					}
				}
				node := beating(
					t, c, func(context.Context) ([]registration.PoolStatus, error) { return test.status, nil })
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if said, _, _ := strings.Cut(faults, ", which"); said != test.says {
					t.Errorf("events say %q, want %q once", faults, test.says)
				}
				for _, beat := range w.of("heartbeat") {
					pools := beat.pools(t)
					p := pools[0]
					sent := pool(p.Ready, *p.Draining, p.SlotsFree, *p.SlotsTotal)
					if len(pools) != 2 || p.PoolID != "pool-0" || !reflect.DeepEqual(sent, test.sent) ||
						pools[1].PoolID != "pool-1" || pools[1].Ready {
						t.Errorf("it sends %+v", pools)
					}
				}
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What is older than the node timeout is not believed. A good answer is, at once.
func TestAStatusThatIsStaleIsNotSent(t *testing.T) {
	for name, test := range map[string]struct {
		fault func() error
		stale []int // which of the heartbeats
	}{
		"fails":              {func() error { return errors.New("no driver") }, []int{4, 5}},
		"hangs":              {func() error { time.Sleep(45 * time.Second); return nil }, []int{5}},
		"ends its goroutine": {func() error { runtime.Goexit(); return nil }, []int{4, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				begin := time.Now()
				node := beating(t, config(t, w), func(ctx context.Context) ([]registration.PoolStatus, error) {
					if at := time.Since(begin); at > time.Second && at < time.Minute {
						if err := test.fault(); err != nil {
							return nil, err
						}
					}
					return ready(ctx)
				})
				time.Sleep(80 * time.Second) // it fails from the heartbeat at 15 s to that at 55 s
				for i, beat := range w.of("heartbeat") {
					pools := beat.pools(t)
					isStale := slices.Contains(test.stale, i)
					if len(pools) != 2 || pools[0].Ready == isStale || (pools[0].SlotsFree == 0) != isStale {
						t.Errorf("heartbeat %d says %+v", i, pools)
					}
				}
				if n := len(w.of("heartbeat")); n != 8 {
					t.Errorf("%d heartbeats, want 8", n)
				}
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A late status is sent at once if Notify asked for it, before the call or during it.
func TestALateStatusThatWasAskedForIsSentAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		notified time.Duration // before or after the call, which begins at 15 s
		late     int           // calls, from the second on
		beats    []time.Duration
	}{
		"before":           {14 * time.Second, 1, []time.Duration{500, 14_000, 17_000, 25_000}},
		"before, and late": {14 * time.Second, 9, []time.Duration{500, 14_000, 17_000, 25_000}}, // each time
		"during":           {16 * time.Second, 1, []time.Duration{500, 15_000, 16_000, 18_000, 25_000}},
		"never":            {time.Hour, 1, []time.Duration{500, 15_000, 25_000}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				calls := 0
				node := beating(t, config(t, w), func(ctx context.Context) ([]registration.PoolStatus, error) {
					if calls++; calls > 1 && calls < 2+test.late {
						time.Sleep(3 * time.Second)
					}
					return ready(ctx)
				})
				begin := w.sent()[0].at
				time.AfterFunc(test.notified, node.Notify)
				time.Sleep(30 * time.Second)
				var beats []time.Duration
				for _, beat := range w.of("heartbeat") {
					beats = append(beats, beat.at.Sub(begin).Truncate(500*time.Millisecond)/time.Millisecond)
				}
				if !slices.Equal(beats, test.beats) {
					t.Errorf("heartbeats after %d ms, want %d", beats, test.beats)
				}
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A person reads as much of a callback's error as a line has room for, a program finds all of it.
func TestAFaultOfTheStatusHoldsTheErrorOfTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New(strings.Repeat("no driver\n", 1000))
		node := beating(t, config(t, &wire{}), func(context.Context) ([]registration.PoolStatus, error) {
			return nil, cause
		})
		time.Sleep(time.Second)
		if fault := node.Status().StatusFault; !errors.Is(fault, cause) || strings.Contains(fault.Error(), "\n") ||
			len(fault.Error()) > 1200 {
			t.Errorf("the fault is %v, want one line of a kilobyte with the cause beneath", fault)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Nobody has to wait for the next heartbeat to learn of it.
func TestACallbackThatHangsIsUnhealthyBetweenHeartbeatsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{answer: func(int, request) answer {
			return answer{status: http.StatusOK, body: `{"success":true,"next_heartbeat_ms":240000}`}
		}})
		c.NodeTimeout, c.RegisterEvery = 9*time.Minute, -1
		hang := make(chan struct{})
		var asked atomic.Int32
		node := beating(t, c, func(ctx context.Context) ([]registration.PoolStatus, error) {
			if asked.Add(1) == 2 {
				<-hang
			}
			return ready(ctx)
		})
		for asked.Load() < 2 {
			time.Sleep(time.Second)
		}
		time.Sleep(9*time.Minute - 2*time.Second)
		if err := node.Healthy(time.Second); err != nil {
			t.Errorf("before the node timeout: %v", err)
		}
		time.Sleep(3 * time.Second) // the last heartbeat was a minute ago
		if s, healthy := node.Status(), node.Healthy(time.Second); s.StatusFault == nil || healthy == nil {
			t.Errorf("after the node timeout: fault %v, Healthy %v", s.StatusFault, healthy)
		}
		close(hang)
		synctest.Wait()
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A callback that hangs is no reason to be silent, but one to be restarted for.
func TestACallbackThatHangsIsUnhealthyAfterTheNodeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		node := beating(t, config(t, &wire{}), func(ctx context.Context) ([]registration.PoolStatus, error) {
			if calls++; calls > 1 {
				<-ctx.Done()
			}
			return ready(ctx)
		})
		time.Sleep(20 * time.Second)
		if s, healthy := node.Status(), node.Healthy(time.Second); s.StatusFault == nil || healthy != nil {
			t.Errorf("a callback that hangs for seconds: fault %v, Healthy %v", s.StatusFault, healthy)
		}
		time.Sleep(time.Minute)
		if s, healthy := node.Status(), node.Healthy(time.Second); s.StatusFault == nil || healthy == nil {
			t.Errorf("a callback that hangs for a minute: %s, fault %v, Healthy %v", s.State, s.StatusFault, healthy)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Heartbeats that start again call the status callback once an earlier call has returned.
func TestACallbackThatOutlastsItsHeartbeatsIsNotCalledBesideItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		var running, most, calls atomic.Int32
		status := func(ctx context.Context) ([]registration.PoolStatus, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			if calls.Add(1) == 2 {
				time.Sleep(15 * time.Second) // and does not hear that its heartbeats have ended
			}
			return ready(ctx)
		}
		ctx, end := context.WithCancel(t.Context())
		node := registered(t, config(t, w))
		if err := node.StartHeartbeat(ctx, status); err != nil {
			t.Fatal(err)
		}
		time.Sleep(16 * time.Second) // the second heartbeat was due at 15 s
		end()
		if err := node.StartHeartbeat(t.Context(), status); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		beats := w.of("heartbeat")
		if most.Load() != 1 || calls.Load() != 3 || len(beats) != 4 {
			t.Errorf("%d calls at once, %d in all, %d heartbeats; want 1, 3 and 4", most.Load(), calls.Load(),
				len(beats))
		}
		for i, isReady := range []bool{true, true, false, true} { // the third knows of no status yet
			if beats[i].pools(t)[0].Ready != isReady {
				t.Errorf("heartbeat %d says %v", i, beats[i].pools(t))
			}
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
