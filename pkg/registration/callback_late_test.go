package registration_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

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
