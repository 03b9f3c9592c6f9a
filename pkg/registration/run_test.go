package registration_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// run runs a node for a while and returns what Run returned, and how long it
// took to return after its context had ended.
func run(t *testing.T, c registration.Config, alive time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	node := newNode(t, c)
	go func() { done <- node.Run(ctx, ready) }()
	select {
	case err := <-done:
		cancel()
		return 0, err
	case <-time.After(alive):
		cancel()
	}
	ended := time.Now()
	err = <-done
	return time.Since(ended), err
}

func TestRun(t *testing.T) {
	refusedDial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, test := range map[string]struct {
		answer func(n int, r request) answer
		alive  time.Duration
		kind   error
		sent   string
		took   time.Duration
	}{
		"a whole life": {
			nil, 26 * time.Second, nil,
			"register heartbeat heartbeat heartbeat deregister", 0,
		},
		"a bad token ends it at once": {
			func(int, request) answer { return answer{status: 401} }, time.Hour, registration.ErrUnauthorized,
			"register", 0,
		},
		"a refusal ends it at once": {
			func(int, request) answer { return answer{status: 422} }, time.Hour, registration.ErrRefused,
			"register", 0,
		},
		"one that never reached orchestratord has nothing to undo": {
			func(int, request) answer { return answer{err: refusedDial} }, 900 * time.Millisecond, nil,
			"register register register", 0,
		},
		"one that may have been heard takes its leave": {
			func(n int, r request) answer {
				if r.op == "register" {
					return answer{err: errors.New("connection reset by peer")}
				}
				return answer{}
			}, 200 * time.Millisecond, nil,
			"register deregister", 0,
		},
		"a registration in flight is not cut off": {
			func(n int, r request) answer {
				if r.op == "register" {
					return answer{delay: 2 * time.Second}
				}
				return answer{}
			}, time.Second, nil,
			"register deregister", time.Second,
		},
		"a heartbeat in flight has half of the time": {
			func(n int, r request) answer {
				if r.op == "heartbeat" {
					return answer{delay: time.Hour}
				}
				return answer{}
			}, 600 * time.Millisecond, nil,
			"register heartbeat deregister", registration.DefaultShutdownTimeout / 2,
		},
		"a failed deregistration is reported": {
			func(n int, r request) answer {
				if r.op == "deregister" {
					return answer{delay: time.Hour}
				}
				return answer{}
			}, 400 * time.Millisecond, registration.ErrUnavailable,
			"register deregister deregister", registration.DefaultShutdownTimeout,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: test.answer}
				took, err := run(t, config(t, w), test.alive)
				if test.kind == nil && err != nil || !errors.Is(err, test.kind) {
					t.Errorf("Run returned %v, want %v", err, test.kind)
				}
				if w.ops() != test.sent || took != test.took || w.peak() != 1 {
					t.Errorf("sent %s, took %v after the end, %d at once; want %s, %v, 1", w.ops(), took, w.peak(),
						test.sent, test.took)
				}
			})
		})
	}
}

func TestRunOfANodeThatHasEnded(t *testing.T) {
	w := &wire{answer: func(int, request) answer { return answer{status: 401} }}
	node := newNode(t, config(t, w))
	if err := node.Run(t.Context(), ready); !errors.Is(err, registration.ErrUnauthorized) {
		t.Errorf("Run returned %v, want ErrUnauthorized", err)
	}
	if err := node.Run(t.Context(), ready); !errors.Is(err, registration.ErrStopped) || w.ops() != "register" {
		t.Errorf("a second Run returned %v, sent by then: %s; want ErrStopped and nothing sent", err, w.ops())
	}
}

// A second Run must not take the node from the first when its own context ends.
func TestRunLeavesARunningNodeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := beating(t, config(t, w), ready)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := node.Run(ended, ready); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("Run returned %v, want ErrRunning", err)
		}
		time.Sleep(16 * time.Second)
		if want := "register heartbeat heartbeat"; w.ops() != want {
			t.Errorf("sent %s, want %s", w.ops(), want)
		}
		node.Deregister(t.Context())
	})
}

func TestRunStandaloneSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.Standalone = true
		if took, err := run(t, c, time.Hour); err != nil || took != 0 || len(w.sent()) != 0 {
			t.Errorf("Run returned %v after %v and sent %q", err, took, w.ops())
		}
	})
}

// Whoever uses a standalone node sends it work without orchestratord.
func TestRunStandaloneDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.Standalone = true
		c.Drain = func(ctx context.Context) {
			if ctx.Err() != nil {
				t.Error("the context of Drain has ended")
			}
			time.Sleep(25 * time.Second)
		}
		if took, err := run(t, c, time.Hour); err != nil || took != 25*time.Second || len(w.sent()) != 0 {
			t.Errorf("Run returned %v after %v and sent %q, want nil after 25 s and nothing sent", err, took, w.ops())
		}
	})
}

func TestRunBeatsWhileItDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.Drain = func(ctx context.Context) {
			if ctx.Err() != nil {
				t.Error("the context of Drain has ended")
			}
			time.Sleep(25 * time.Second)
		}
		took, err := run(t, c, 16*time.Second)
		if want := "register heartbeat heartbeat heartbeat heartbeat heartbeat heartbeat deregister"; err != nil ||
			took != 25*time.Second || w.ops() != want {
			t.Errorf("Run returned %v after %v and sent %s, want %s", err, took, w.ops(), want)
		}
		if notified := w.of("heartbeat")[2].at.Sub(w.sent()[0].at); notified != 16*time.Second {
			t.Errorf("the drain was sent after %v, want at once, after 16 s", notified)
		}
		if notified := w.of("heartbeat")[3].at.Sub(w.sent()[0].at); notified != 17*time.Second {
			t.Errorf("the drain was sent again after %v, want a second later, when the callback can know", notified)
		}
	})
}

// An orchestratord that has lost the record has sent work before: it is finished all the same.
func TestANodeWhoseRecordIsLostDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			switch {
			case n == 2:
				return answer{status: http.StatusNotFound, body: `{"success":false,"next_heartbeat_ms":10000}`}
			case n > 2 && r.op == "register":
				return answer{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
			}
			return answer{}
		}}
		drained := false
		c := config(t, w)
		c.Drain = func(context.Context) { drained = true }
		_, err := run(t, c, 16*time.Second)
		if err != nil || !drained || len(w.of("deregister")) > 0 {
			t.Errorf("drained %t, Run returned %v, sent %s", drained, err, w.ops())
		}
	})
}

// A context that has ended before Run leaves nothing to do but to take out what is on record.
func TestRunWithAContextThatHasEnded(t *testing.T) {
	for sent, isRegistered := range map[string]bool{"": false, "register deregister": true} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{}
			c := config(t, w)
			c.Drain = func(context.Context) { t.Error("it drains") }
			node := newNode(t, c)
			if isRegistered && node.Register(t.Context()) != nil {
				t.Error("it does not register")
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := node.Run(ended, ready); err != nil || w.ops() != sent {
				t.Errorf("Run returned %v and sent %q, want %q", err, w.ops(), sent)
			}
			if state := node.Status().State; state != registration.StateDeregistered {
				t.Errorf("it is %s", state)
			}
		})
	}
}

// What went wrong at the end is one line.
func TestRunReturnsAllThatWentWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{answer: func(n int, r request) answer {
			if r.op == "deregister" {
				return answer{status: http.StatusMethodNotAllowed}
			}
			return answer{}
		}})
		c.Drain = func(context.Context) { panic("no way") }
		_, err := run(t, c, time.Second)
		if !errors.Is(err, registration.ErrRefused) ||
			!strings.HasPrefix(err.Error(), "drain panicked: no way; deregister: ") {
			t.Errorf("Run returned %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := registered(t, c).Run(ended, ready); !errors.Is(err, registration.ErrRefused) {
			t.Errorf("with a context that has ended, Run returned %v", err)
		}
	})
}

// A node whose registration may have been heard may have been sent work.
func TestANodeThatMayHaveBeenHeardDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drained := false
		c := config(t, &wire{answer: func(_ int, r request) answer {
			if r.op == "register" {
				return answer{err: errors.New("connection reset by peer")}
			}
			return answer{}
		}})
		c.Drain = func(context.Context) { drained = true }
		if _, err := run(t, c, time.Second); err != nil || !drained {
			t.Errorf("drained %t, Run returned %v", drained, err)
		}
	})
}
