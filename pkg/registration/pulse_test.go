package registration_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// A hundred thousand nodes fit into one program because one that waits is a timer.
func TestBetweenHeartbeatsANodeHoldsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		var fleet []*registration.Node
		for range 100 {
			fleet = append(fleet, beating(t, config(t, &wire{}), ready))
		}
		for range 3 {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if n := runtime.NumGoroutine() - before; n >= 100 {
				t.Errorf("100 nodes hold %d goroutines", n)
			}
		}
		for _, node := range fleet {
			if s := node.Status(); s.State != registration.StateOnline {
				t.Errorf("status is %+v", s)
			}
			node.Deregister(t.Context())
		}
	})
}

// News, the end of the context and the end of the node may come while a turn is under
// way, and all at once.
func TestWhateverWakesANodeItHasOneTurnAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, request) answer { return answer{delay: 700 * time.Millisecond} }}
		node := beating(t, config(t, w), ready)
		for range 200 {
			for range 3 {
				go node.Notify()
			}
			time.Sleep(150 * time.Millisecond)
		}
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent := len(w.sent())
		node.Notify()
		time.Sleep(time.Minute)
		if w.peak() != 1 || len(w.sent()) != sent {
			t.Errorf("%d requests were in flight at once, and %d were sent after the end", w.peak(), len(w.sent())-sent)
		}
		if beats := len(w.of("heartbeat")); beats < 20 || beats > 31 {
			t.Errorf("%d heartbeats in 30 s full of news, want about one a second", beats)
		}
	})
}

// However much news there is during a request, few goroutines wait for its end.
func TestNewsDuringARequestWaitsInOnePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{answer: func(int, request) answer { return answer{delay: 700 * time.Millisecond} }})
		node := beating(t, c, ready)
		time.Sleep(600 * time.Millisecond)
		before := runtime.NumGoroutine()
		for range 100 {
			node.Notify()
			d := registration.Description{Address: c.Address, Pools: c.Pools, Capabilities: c.Capabilities}
			if err := node.Update(d); err != nil {
				t.Error(err)
			}
		}
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("%d goroutines wait", n)
		}
		node.Stop(t.Context())
	})
}

// Heartbeats whose context has ended can be started again, as often as one likes.
func TestHeartbeatsAreTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := newNode(t, config(t, w))
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			if err := node.StartHeartbeat(ctx, ready); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			cancel()
			synctest.Wait()
		}
		if beats := len(w.of("heartbeat")); beats != 3 {
			t.Errorf("%d heartbeats in 30 s, want 3", beats)
		}
		node.Deregister(t.Context())
	})
}

// Heartbeats start again while the earlier ones are still about to end.
func TestHeartbeatsAreTakenUpAtOnce_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		node := registered(t, config(t, &wire{}))
		for range 20_000 { // as few of them meet the end at its narrowest point
			ctx, cancel := context.WithCancel(t.Context())
			if err := node.StartHeartbeat(ctx, ready); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A heartbeat that waits for its status when it should no longer be sent is cut off as
// soon as it is.
func TestDeregisterCutsOffWhatIsAboutToBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(_ int, r request) answer {
			if r.op == "heartbeat" {
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		c := config(t, w)
		c.ShutdownTimeout = 100 * time.Millisecond
		node := beating(t, c, func(ctx context.Context) ([]registration.PoolStatus, error) {
			time.Sleep(80 * time.Millisecond)
			return ready(ctx)
		})
		time.Sleep(5*time.Second + 10*time.Millisecond)
		if err := node.Deregister(t.Context()); err != nil || w.ops() != "register heartbeat deregister" {
			t.Errorf("error is %v, sent was %s", err, w.ops())
		}
	})
}

// The context of a program lives longer than one of its nodes, which it must not hold.
func TestAnEndedNodeIsNotHeldByItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	node := newNode(t, config(t, &wire{}))
	if err := node.StartHeartbeat(ctx, ready); err != nil {
		t.Fatal(err)
	}
	if err := node.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	held := weak.Make(node)
	node = nil
	for begin := time.Now(); time.Since(begin) < time.Minute; runtime.Gosched() { // the last goroutines end
		if runtime.GC(); held.Value() == nil {
			return
		}
	}
	t.Error("the node is still held after a minute of collections")
}
