package registration_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A node is ready from its first good heartbeat until it ends, and while orchestratord is away.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n >= 2 && r.op != "deregister" {
				return answer{status: http.StatusServiceUnavailable}
			}
			return answer{}
		}}
		node := newNode(t, config(t, w))
		var seen []bool
		look := func() { synctest.Wait(); seen = append(seen, node.Ready() == nil) }
		look()
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		look()
		ctx, end := context.WithCancel(t.Context())
		if err := node.StartHeartbeat(ctx, ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		look()
		time.Sleep(time.Hour) // the next heartbeat fails, and whatever follows
		look()
		if state := node.Status().State; state != registration.StateFailing {
			t.Errorf("state is %s", state)
		}
		end()
		look()
		if err := node.Deregister(t.Context()); err != nil {
			t.Error(err)
		}
		look()
		if want := []bool{false, false, true, true, false, false}; !slices.Equal(seen, want) {
			t.Errorf("ready is %v, want %v", seen, want)
		}
	})
}

// A renewal does not make a node unready until its next heartbeat.
func TestReadyThroughRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.RegisterEvery = 20 * time.Second
		node := beating(t, c, ready)
		time.Sleep(time.Second)
		for range 1000 {
			time.Sleep(100 * time.Millisecond)
			if err := node.Ready(); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(w.of("register")); n < 3 {
			t.Errorf("it has registered %d times", n)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestProbesWhileANodeDrains(t *testing.T) {
	for standalone, atTheEnd := range map[bool]string{
		false: "the node has ended: deregistered", true: "the node drains", // which has no other state
	} {
		synctest.Test(t, func(t *testing.T) {
			c := config(t, &wire{})
			c.Standalone, c.Drain = standalone, func(context.Context) { time.Sleep(time.Minute) }
			node := newNode(t, c)
			ctx, end := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- node.Run(ctx, ready) }()
			time.Sleep(time.Second)
			if err := errors.Join(node.Ready(), node.Healthy(time.Second)); err != nil {
				t.Errorf("standalone %t, before: %v", standalone, err)
			}
			end()
			time.Sleep(30 * time.Second)
			if err := node.Ready(); err == nil || err.Error() != "the node drains" {
				t.Errorf("standalone %t, while it drains: ready %v", standalone, err)
			}
			if err := node.Healthy(time.Second); err != nil {
				t.Errorf("standalone %t, while it drains: %v", standalone, err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := node.Ready(); err == nil || err.Error() != atTheEnd {
				t.Errorf("standalone %t, at the end: ready %v, want %s", standalone, err, atTheEnd)
			}
		})
	}
}

func TestProbesOfANodeThatHasEnded(t *testing.T) {
	for state, end := range map[registration.State]func(*registration.Node, context.Context) error{
		registration.StateDeregistered: (*registration.Node).Deregister,
		registration.StateStopped:      (*registration.Node).Stop,
	} {
		synctest.Test(t, func(t *testing.T) {
			node := beating(t, config(t, &wire{}), ready)
			time.Sleep(time.Second)
			if err := errors.Join(node.Ready(), node.Healthy(time.Hour), end(node, t.Context())); err != nil {
				t.Error(err)
			}
			if got := node.Status().State; got != state || node.Ready() == nil || node.Healthy(time.Hour) == nil {
				t.Errorf("%s, want %s: ready %v, healthy %v", got, state, node.Ready(), node.Healthy(time.Hour))
			}
		})
	}
}

// A probe that comes during the first request does not find a node that nobody has started.
func TestANodeIsHealthyDuringItsFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := newNode(t,
			config(t, &wire{answer: func(int, request) answer { return answer{delay: 3 * time.Second} }}))
		if node.Healthy(time.Second) == nil {
			t.Error("a node that nobody has started is healthy")
		}
		registered := make(chan error)
		go func() { registered <- node.Register(t.Context()) }()
		time.Sleep(time.Second)
		if err := node.Healthy(time.Second); err != nil {
			t.Error(err)
		}
		if err := <-registered; err != nil {
			t.Error(err)
		}
		node.Stop(t.Context())
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := newNode(t, config(t, troubled()))
		expect := func(after time.Duration, want registration.State, check func(registration.Status) bool) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if s := node.Status(); s.State != want || !check(s) {
				t.Errorf("status is %+v, want %s", s, want)
			}
		}
		expect(0, registration.StateNew, func(s registration.Status) bool {
			return s.NextRequest.IsZero() && s.Interval == 10*time.Second && s.LastHeartbeat.IsZero() &&
				s.DroppedEvents == 0
		})
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(0, registration.StateRegistered,
			func(s registration.Status) bool { return s.Registrations == 1 && s.NextRequest.IsZero() })
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		expect(16*time.Second, registration.StateOnline, func(s registration.Status) bool {
			return time.Since(s.LastHeartbeat) == time.Second && time.Until(s.NextRequest) == 9*time.Second
		})
		expect(9*time.Second, registration.StateFailing, func(s registration.Status) bool {
			return errors.Is(s.LastError, registration.ErrUnavailable) && s.Failures == 1
		})
		expect(10*time.Second, registration.StateOnline, func(s registration.Status) bool {
			return s.LastError == nil && s.Failures == 0 && s.Registrations == 2
		})
		node.Deregister(t.Context())
		expect(0, registration.StateDeregistered,
			func(s registration.Status) bool { return s.NextRequest.IsZero() && s.LastError == nil })
	})
}

// The status has when the last good heartbeat was sent, not when it was answered, and when the next request is
// due: sooner after Notify, never while there are no heartbeats.
func TestStatusOfHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(_ int, r request) answer {
			if r.op == "heartbeat" {
				return answer{delay: 400 * time.Millisecond}
			}
			return answer{}
		}}
		node := registered(t, config(t, w))
		expect := func(want registration.State, beat, next time.Duration) { // ago, and ahead: 0 for never
			t.Helper()
			synctest.Wait()
			s := node.Status()
			ahead := time.Duration(0)
			if !s.NextRequest.IsZero() {
				ahead = time.Until(s.NextRequest)
			}
			if ago := time.Since(s.LastHeartbeat); s.State != want || ago != beat || ahead != next {
				t.Errorf("%s, the last beat %v ago, the next %v ahead; want %s, %v and %v", s.State, ago, ahead, want,
					beat, next)
			}
		}
		ctx, end := context.WithCancel(t.Context())
		if err := node.StartHeartbeat(ctx, ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // the first heartbeat was sent at 500 ms
		expect(registration.StateOnline, 500*time.Millisecond, 14*time.Second)
		node.Notify()
		expect(registration.StateOnline, 500*time.Millisecond, 500*time.Millisecond)
		time.Sleep(2 * time.Second)
		end()
		expect(registration.StateSilent, 1500*time.Millisecond, 0)
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		expect(registration.StateOnline, 1500*time.Millisecond, 12*time.Second)
		node.Stop(t.Context())
	})
}

func TestHealthyFindsAStuckLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := newNode(t, config(t, &wire{}))
		if err := idle.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		away := beating(t, config(t, &wire{answer: func(n int, _ request) answer {
			if n > 0 {
				return answer{err: errors.New("connection refused")}
			}
			return answer{}
		}}), ready)
		time.Sleep(10 * time.Minute)
		if err := errors.Join(idle.Healthy(10*time.Second), away.Healthy(10*time.Second)); err != nil {
			t.Errorf("without heartbeats to send, or without an orchestratord, a node is not healthy: %v", err)
		}
		away.Deregister(t.Context())

		// A transport that ignores the end of its request is how a loop gets stuck.
		release := make(chan struct{})
		w := &wire{answer: func(n int, r request) answer {
			if n == 1 {
				<-release
			}
			return answer{}
		}}
		stuck := beating(t, config(t, w), ready)
		time.Sleep(36500 * time.Millisecond) // since 500 ms a heartbeat is under way that has 5 s
		if err := stuck.Healthy(30 * time.Second); err == nil ||
			!strings.Contains(err.Error(), "31s after its time was over") {
			t.Errorf("a stuck node is healthy: %v", err)
		}
		close(release)
		synctest.Wait()
		if err := stuck.Healthy(30 * time.Second); err != nil {
			t.Errorf("a node that is no longer stuck is not healthy: %v", err)
		}
		stuck.Deregister(t.Context())
	})
}

// A function of the program may be what does not return.
func TestHealthyFindsAnAttemptThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := config(t, &wire{})
		draws := 0
		c.Jitter = func() float64 {
			if draws++; draws == 2 {
				<-release
			}
			return 0.5
		}
		node := beating(t, c, ready)
		time.Sleep(30 * time.Second)
		err := node.Healthy(20 * time.Second)
		if err == nil || !strings.Contains(err.Error(), "24.5s after its time was") {
			t.Errorf("a node that hangs is healthy: %v", err)
		}
		close(release)
		synctest.Wait()
		if err := node.Healthy(20 * time.Second); err != nil {
			t.Error(err)
		}
		node.Stop(t.Context())
	})
}

// A request that has time is no stuck loop, however slow orchestratord is.
func TestANodeIsHealthyWhileARequestIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{answer: func(n int, _ request) answer {
			if n > 0 {
				return answer{delay: time.Hour}
			}
			return answer{}
		}})
		c.NodeTimeout, c.RequestTimeout = 2*time.Minute, 110*time.Second
		node := beating(t, c, ready)
		for range 600 {
			time.Sleep(time.Second)
			if err := node.Healthy(10 * time.Second); err != nil {
				t.Error(err)
				break
			}
		}
		node.Stop(t.Context())
	})
}
