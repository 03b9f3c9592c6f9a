package registration_test

import (
	"context"
	"errors"
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
		"fails":  func(context.Context) ([]registration.PoolStatus, error) { return nil, errors.New("no driver") },
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
