package registration_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestDeregisterWaitsForTheRequestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if r.op == "heartbeat" {
				return answer{delay: time.Second}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Second) // a heartbeat is in flight since 500 ms
		begin := time.Now()
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 500*time.Millisecond || w.peak() != 1 {
			t.Errorf("took %v with %d requests at once, want 500 ms for the one in flight", took, w.peak())
		}
	})
}

// Whatever the network does, a shutdown ends in time and sends nothing later.
func TestDeregisterIsBounded(t *testing.T) {
	hang := answer{delay: 24 * time.Hour}
	for name, prepare := range map[string]func(*testing.T, *registration.Node){
		"a registration that may have arrived": func(t *testing.T, n *registration.Node) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_ = n.Register(ctx)
		},
		"a heartbeat hangs": func(t *testing.T, n *registration.Node) {
			if err := n.StartHeartbeat(t.Context(), ready); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		},
		"Register hangs": func(t *testing.T, n *registration.Node) {
			go n.Register(t.Context())
			time.Sleep(time.Second)
		},
	} {
		for _, limit := range []time.Duration{0, 2 * time.Second} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := &wire{answer: func(int, request) answer { return hang }}
					c := config(t, w)
					c.RequestTimeout = 20 * time.Second
					var last atomic.Pointer[registration.Event]
					c.OnEvent = func(e registration.Event) { last.Store(&e) }
					node := newNode(t, c)
					prepare(t, node)

					ctx, want := t.Context(), registration.DefaultShutdownTimeout
					if limit > 0 {
						timeout, cancel := context.WithTimeout(ctx, limit)
						defer cancel()
						ctx, want = timeout, limit
					}
					begin := time.Now()
					err := node.Deregister(ctx)
					if took := time.Since(begin); took != want || !errors.Is(err, context.DeadlineExceeded) ||
						!errors.Is(err, registration.ErrUnavailable) {
						t.Errorf("took %v with error %v, want %v", took, err, want)
					}
					if e := last.Load(); e == nil || e.Type != registration.EventStopped {
						t.Errorf("the last event by then was %+v", e)
					}
					if w.ops()[max(0, len(w.ops())-len("deregister")):] != "deregister" || w.peak() != 1 {
						t.Errorf("sent %s, %d at once, want deregister last", w.ops(), w.peak())
					}
					sent := w.ops()
					time.Sleep(time.Hour)
					if w.ops() != sent {
						t.Errorf("sent %s after Deregister had returned", w.ops())
					}
				})
			})
		}
	}
}

// A call that waits for another keeps its own deadline.
func TestDeregisterBesideACallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(_ int, r request) answer {
			if r.op == "deregister" {
				return answer{delay: 3 * time.Second}
			}
			return answer{}
		}}
		c := config(t, w)
		c.ShutdownTimeout = 10 * time.Second
		node := registered(t, c)
		first := make(chan error)
		go func() { first <- node.Deregister(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := node.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) ||
			!errors.Is(err, registration.ErrUnavailable) || time.Since(begin) != time.Second {
			t.Errorf("the second call returned %v after %v, want its deadline after 1s", err, time.Since(begin))
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// slowLog takes its time to say which lines it wants: whoever logs waits for it.
type slowLog struct {
	slog.Handler
	takes func() time.Duration
}

func (l slowLog) Enabled(context.Context, slog.Level) bool {
	time.Sleep(l.takes())
	return false
}

func (l slowLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// The node's owner may be held up by what nothing can cut off.
func TestLeavingIsBoundedWhateverHoldsTheNode(t *testing.T) {
	byLog := func(c *registration.Config, takes func() time.Duration) {
		c.Logger = slog.New(slowLog{slog.DiscardHandler, takes})
	}
	byJitter := func(c *registration.Config, takes func() time.Duration) {
		c.Jitter = func() float64 { time.Sleep(takes()); return 0.5 }
	}
	for name, test := range map[string]struct {
		leave func(*registration.Node, context.Context) error
		held  func(*registration.Config, func() time.Duration)
	}{
		"Deregister": {(*registration.Node).Deregister, byLog}, "Stop": {(*registration.Node).Stop, byLog},
		"Deregister, held by the jitter": {(*registration.Node).Deregister, byJitter},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(int, request) answer { return answer{status: http.StatusServiceUnavailable} }}
			c := config(t, w)
			hour := time.Hour
			test.held(&c, func() time.Duration {
				defer func() { hour = 0 }()
				return hour
			})
			node := newNode(t, c)
			go node.Register(t.Context())
			synctest.Wait()
			begin := time.Now()
			err := test.leave(node, t.Context())
			if took := time.Since(begin); took != registration.DefaultShutdownTimeout ||
				!errors.Is(err, registration.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) ||
				!strings.Contains(err.Error(), "the request in flight did not end") {
				t.Errorf("%s returned %v after %v", name, err, took)
			}
			time.Sleep(2 * time.Hour)
			if s := node.Status(); w.ops() != "register" || s.State != registration.StateStopped {
				t.Errorf("%s: sent %s, and the state is %s", name, w.ops(), s.State)
			}
		})
	}
}

// An attempt that a slow machine comes to when it should have ended is not made.
func TestWhatIsDueTooLateIsNotSent(t *testing.T) {
	unavailable := answer{status: http.StatusServiceUnavailable}
	for name, end := range map[string]func(*registration.Node, context.CancelFunc){
		"the context has ended": func(_ *registration.Node, cancel context.CancelFunc) { cancel() },
		"the node has ended":    func(n *registration.Node, _ context.CancelFunc) { n.Stop(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // of what is due and what has ended, either may come first
				synctest.Test(t, func(t *testing.T) {
					w := &wire{answer: func(int, request) answer { return unavailable }}
					c := config(t, w)
					c.Logger = slog.New(slowLog{slog.DiscardHandler, func() time.Duration { return time.Second }})
					var seen recorder
					c.OnEvent = seen.add
					node := newNode(t, c)
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(500*time.Millisecond, func() { end(node, cancel) })
					err := node.Register(ctx)
					time.Sleep(time.Minute) // for Stop to return
					failed := slices.DeleteFunc(seen.types(),
						func(e registration.EventType) bool { return e != registration.EventFailed })
					if err == nil || w.ops() != "register" || len(failed) != 1 {
						t.Errorf("Register returned %v, sent %s, failed %d times, want once", err, w.ops(), len(failed))
					}
				})
			}
		})
	}
}

// The first attempt has RequestTimeout, or half of the time if that is less.
func TestDeregisterTriesAgainWhenAnAttemptHangs(t *testing.T) {
	for _, test := range []struct{ request, shutdown time.Duration }{
		{2 * time.Second, 30 * time.Second}, {20 * time.Second, 4 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, _ request) answer {
				if n == 1 {
					return answer{delay: time.Hour}
				}
				return answer{}
			}}
			c := config(t, w)
			c.RequestTimeout, c.ShutdownTimeout = test.request, test.shutdown
			node := registered(t, c)
			begin := time.Now()
			const pause = 300 * time.Millisecond
			if err := node.Deregister(t.Context()); err != nil || len(w.of("deregister")) != 2 ||
				time.Since(begin) != 2*time.Second+pause {
				t.Errorf("%+v: %d requests in %v, error %v; want a second one after 2 s and a pause", test,
					len(w.of("deregister")), time.Since(begin), err)
			}
		})
	}
}

func TestDeregisterDoesNotWaitForWhatCannotFollow(t *testing.T) {
	for retryAfter, want := range map[string]time.Duration{
		"30": 0,
		"":   3500 * time.Millisecond, // after pauses of 0.5, 1 and 2 s there is no time for one of 4 s
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, _ request) answer {
				if n == 0 {
					return answer{}
				}
				return answer{status: 503, header: http.Header{"Retry-After": {retryAfter}}}
			}}
			c := config(t, w)
			c.Jitter = func() float64 { return 1 }
			node := registered(t, c)
			begin := time.Now()
			err := node.Deregister(t.Context())
			took := time.Since(begin).Round(time.Millisecond)
			if took != want || !errors.Is(err, registration.ErrUnavailable) {
				t.Errorf("Retry-After %q: took %v, want %v, error %v", retryAfter, took, want, err)
			}
		})
	}
}

// deaf is a transport that does not hear when its request is ended.
type deaf struct{}

func (deaf) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(time.Hour)
	return nil, errors.New("connection reset by peer")
}

// The time of a node that leaves may be over while it looks for another token: what it sends
// then would be sent after Deregister has returned.
func TestNothingIsSentOnceTheTimeToLeaveIsHalfOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			switch {
			case r.op == "heartbeat" && n == 2:
				return answer{status: http.StatusUnauthorized}
			case r.op == "heartbeat" && n > 2:
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		c := config(t, w)
		c.Jitter = func() float64 { return 0 } // it looks 7 s after the 401, and is to ask half a second later
		c.ShutdownTimeout = time.Second
		var hangs atomic.Bool
		c.APIToken = func(ctx context.Context) (string, error) {
			if hangs.Load() {
				<-ctx.Done()
			}
			return token, ctx.Err()
		}
		node := beating(t, c, ready)
		for len(w.sent()) < 3 {
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait() // for the refusal to be taken in
		hangs.Store(true)
		time.Sleep(time.Until(node.Status().NextRequest) - 400*time.Millisecond)
		time.AfterFunc(800*time.Millisecond, func() { hangs.Store(false) })
		if err := node.Deregister(t.Context()); err != nil || w.ops() != "register heartbeat heartbeat deregister" {
			t.Errorf("sent %s, Deregister returned %v", w.ops(), err)
		}
	})
}

// A shutdown that comes late has the time that it needs.
func TestDeregisterWithADeadlineThatHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, request) answer { return answer{delay: 2 * time.Second} }}
		node := newNode(t, config(t, w))
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		late, cancel := context.WithTimeout(t.Context(), -time.Second)
		defer cancel()
		if err := node.Deregister(late); err != nil || w.ops() != "register deregister" {
			t.Errorf("sent %s, Deregister returned %v", w.ops(), err)
		}
	})
}
