package registration_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
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
