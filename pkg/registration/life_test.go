package registration_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestOneOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := beating(t, config(t, w), ready)
		if err := node.StartHeartbeat(t.Context(), ready); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("a second StartHeartbeat: %v, want ErrRunning", err)
		}
		if err := node.Register(t.Context()); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("Register beside the heartbeats: %v, want ErrRunning", err)
		}
		if err := node.Run(t.Context(), ready); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("Run beside the heartbeats: %v, want ErrRunning", err)
		}
	})
}

func TestOneRegistrationAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := newNode(t, config(t, &wire{answer: func(int, request) answer { return answer{delay: time.Second} }}))
		first := make(chan error)
		go func() { first <- node.Register(t.Context()) }()
		synctest.Wait()
		if err := node.Register(t.Context()); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("Register beside Register: %v, want ErrRunning", err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// Whoever starts heartbeats again waits for the last request of the former ones, and no longer than
// he wants to.
func TestHeartbeatsWaitForTheFormerOnes(t *testing.T) {
	for limit, want := range map[time.Duration]error{time.Second: context.DeadlineExceeded, time.Minute: nil} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, _ request) answer {
				if n == 1 {
					return answer{delay: 4 * time.Second}
				}
				return answer{}
			}}
			node := registered(t, config(t, w))
			ctx, end := context.WithCancel(t.Context())
			if err := node.StartHeartbeat(ctx, ready); err != nil {
				t.Fatal(err)
			}
			time.Sleep(600 * time.Millisecond) // since the heartbeat was sent 100 ms
			end()
			again, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if err := node.StartHeartbeat(again, ready); !errors.Is(err, want) ||
				errors.Is(err, registration.ErrRunning) != (want != nil) {
				t.Errorf("within %v: StartHeartbeat returned %v, want %v", limit, err, want)
			}
			if err := node.Stop(t.Context()); err != nil || w.peak() != 1 {
				t.Errorf("%d requests at once; Stop returned %v", w.peak(), err)
			}
		})
	}
}

func TestStartHeartbeatEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := newNode(t, config(t, w))
		ctx, cancel := context.WithCancel(t.Context())
		if err := node.StartHeartbeat(ctx, ready); err != nil {
			t.Fatal(err)
		}
		if err := node.Healthy(time.Second); err != nil {
			t.Errorf("as soon as heartbeats are started: %v", err)
		}
		time.Sleep(16 * time.Second)
		cancel()
		synctest.Wait()
		if want := "register heartbeat heartbeat"; w.ops() != want {
			t.Errorf("sent %s, want %s", w.ops(), want)
		}
		if err := node.Register(t.Context()); err != nil {
			t.Errorf("Register after the heartbeats have ended: %v", err)
		}
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Errorf("StartHeartbeat after the first has ended: %v", err)
		}
		node.Deregister(t.Context())
	})
}

func TestTheEndOfItsContextDoesNotCutOffAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := false
		w := &wire{}
		w.answer = func(_ int, r request) answer {
			if r.op == "heartbeat" {
				return answer{delay: 2 * time.Second, canceled: &cut}
			}
			return answer{}
		}
		node := newNode(t, config(t, w))
		ctx, cancel := context.WithCancel(t.Context())
		if err := node.StartHeartbeat(ctx, ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		cancel()
		if err := node.Deregister(t.Context()); err != nil || cut {
			t.Errorf("error %v, heartbeat cut off: %v", err, cut)
		}
	})
}

func TestDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := registered(t, config(t, &wire{}))
		isDone := func() bool {
			synctest.Wait()
			select {
			case <-node.Done():
				return true
			default:
				return false
			}
		}
		ctx, end := context.WithCancel(t.Context())
		before := isDone()
		if err := node.StartHeartbeat(ctx, ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		during := isDone()
		end()
		if after := isDone(); !before || during || !after {
			t.Errorf("done is %t before, %t during and %t after the heartbeats", before, during, after)
		}
		node.Stop(t.Context())
	})
}
