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

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestRegisterRetriesWhatMayPass(t *testing.T) {
	refusedDial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, a := range map[string]answer{
		"no network":         {err: refusedDial},
		"connection cut":     {err: errors.New("connection reset by peer")},
		"no answer":          {delay: time.Hour},
		"408":                {status: 408},
		"425":                {status: 425},
		"429":                problem(429, "throttled"),
		"500":                problem(500, "internal_error"),
		"503 without a body": {status: 503},
		"a page":             {status: 200, body: "<html>welcome"},
		"an empty success":   {status: 200},
		"an endless success": {status: 200, body: `{"success":true,"message":"` + strings.Repeat("x", 1<<20) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer {
					if n < 6 {
						return a
					}
					return answer{}
				}}
				begin := time.Now()
				if err := newNode(t, config(t, w)).Register(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := len(w.sent()); got != 7 {
					t.Errorf("%d attempts, want 7", got)
				}
				if a.delay == 0 && (time.Since(begin) < 5*time.Second || time.Since(begin) > 15*time.Second) {
					t.Errorf("7 attempts took %v", time.Since(begin))
				}
			})
		})
	}
}

func TestRegisterObeysRetryAfter(t *testing.T) {
	for name, test := range map[string]struct {
		header string
		want   time.Duration
		date   string // of the answer
	}{
		"seconds":          {"20", 20 * time.Second, ""},
		"none":             {"0", 0, ""},
		"a date":           {"Sat, 01 Jan 2000 00:00:20 GMT", 20 * time.Second, ""},
		"a day":            {"86400", time.Minute, ""},
		"an overflow":      {"9999999999999999999999", time.Minute, ""},
		"beyond any float": {"1e400", time.Minute, ""},
		"half a second":    {"20.5", 20500 * time.Millisecond, ""},
		"by another clock": {"Sun, 01 Feb 2026 12:00:20 GMT", 20 * time.Second, "Sun, 01 Feb 2026 12:00:00 GMT"},
		"the next day":     {"Sun, 02 Jan 2000 00:00:00 GMT", time.Minute, ""},
		"a past date":      {"Sat, 01 Jan 1999 00:00:20 GMT", 0, ""},
		"below zero":       {"-5", 0, ""},
		"not a number":     {"soon", 0, ""},
		"NaN":              {"NaN", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer {
					if n == 0 {
						return answer{
							status: 429,
							header: http.Header{"Retry-After": {test.header}, "Date": {test.date}},
						}
					}
					return answer{}
				}}
				var seen recorder
				c := config(t, w)
				c.OnEvent = seen.add
				begin := time.Now()
				node := registered(t, c)
				if took, most := time.Since(begin), test.want+min(max(test.want, time.Second), 5*time.Second); took <
					test.want || took > most {
					t.Errorf("the second attempt came after %v, want %v to %v", took, test.want, most)
				}
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				var failed *registration.Error
				if !errors.As(seen.events[0].Err, &failed) || failed.RetryAfter != test.want {
					t.Errorf("the first attempt ended with %#v, want a RetryAfter of %v", failed, test.want)
				}
			})
		})
	}
}

func TestRegisterEndsWithItsContext(t *testing.T) {
	for name, a := range map[string]answer{
		"refused connections": {err: errors.New("connection refused")},
		"no answer":           {delay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(int, request) answer { return a }}
				ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
				defer cancel()
				begin := time.Now()
				err := newNode(t, config(t, w)).Register(ctx)
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, registration.ErrUnavailable) {
					t.Errorf("error is %v, want the context's and the last attempt's", err)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("error takes more than a line: %v", err)
				}
				if took := time.Since(begin); took != 12*time.Second {
					t.Errorf("took %v, want 12 s", took)
				}
			})
		})
	}
}

func TestNothingIsSentForAContextThatHasEnded(t *testing.T) {
	w := &wire{}
	node := newNode(t, config(t, w))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no more"))
	for range 10 {
		if err := node.Register(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, registration.ErrUnavailable) {
			t.Fatalf("Register returned %v, want no more than the error of its context", err)
		}
	}
	if err := node.StartHeartbeat(ctx, ready); !errors.Is(err, context.Canceled) {
		t.Errorf("StartHeartbeat returned %v, want the error of its context", err)
	}
	if s := node.Status(); len(w.sent()) > 0 || s.State != registration.StateNew || s.LastError != nil {
		t.Errorf("sent %q, and is %s with %v", w.ops(), s.State, s.LastError)
	}
}

func TestAForgottenNodeRegistersAgain(t *testing.T) {
	for name, a := range map[string]answer{
		"problem details": problem(404, "unknown_node"),
		"as in service":   {status: 404, body: `{"success":false,"next_heartbeat_ms":10000}`},
		"no body":         {status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, r request) answer {
					if n == 2 {
						return a
					}
					return answer{}
				}}
				node := beating(t, config(t, w), ready)
				time.Sleep(26 * time.Second)
				if want := "register heartbeat heartbeat register heartbeat heartbeat"; w.ops() != want {
					t.Errorf("sent %s, want %s", w.ops(), want)
				}
				beats := w.of("heartbeat")
				if !beats[2].at.Equal(beats[1].at) || beats[3].at.Sub(beats[1].at) != 10*time.Second {
					t.Error("want the heartbeat repeated at once, and the grid kept")
				}
				node.Deregister(t.Context())
			})
		})
	}
}

func TestTwoOrchestratordsThatShareNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var known [2]bool
		turn := 0
		w := &wire{answer: func(_ int, r request) answer {
			turn = 1 - turn
			if r.op == "register" {
				known[turn] = true
			} else if !known[turn] {
				return answer{status: 404}
			} else {
				known[turn] = false // forgets at once
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Hour)
		if n := len(w.of("register")); n > 150 {
			t.Errorf("registered %d times in an hour", n)
		}
		node.Deregister(t.Context())
	})
}

// A caller who has repaired what was wrong does not wait for what came of an earlier call.
func TestRegisterCalledAgainAsksAtOnce(t *testing.T) {
	for _, status := range []int{401, 422} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, _ request) answer {
				if n == 0 {
					return answer{status: status}
				}
				return answer{}
			}}
			node := newNode(t, config(t, w))
			if err := node.Register(t.Context()); err == nil {
				t.Fatalf("%d: registered at the first attempt", status)
			}
			again := time.Now()
			if err := node.Register(t.Context()); err != nil || time.Since(again) != 0 {
				t.Errorf("%d: registering again took %v, error %v", status, time.Since(again), err)
			}
		})
	}
}

// An orchestratord that takes heartbeats and no registrations is asked for one less and less
// often, and loses no heartbeat by it.
func TestARefreshThatFailsIsTriedLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if r.op == "register" && n > 0 {
				return answer{status: http.StatusServiceUnavailable}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Hour)
		if n := len(w.of("register")); n < 10 || n > 25 {
			t.Errorf("%d registrations in an hour, want one every 5 minutes after the first few", n)
		}
		if n := len(w.of("heartbeat")); n < 355 {
			t.Errorf("%d heartbeats in an hour, want 360", n)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Orchestratord counts from when it took the registration, which may be when it was sent.
func TestARegistrationCountsFromWhenItWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			if n == 0 {
				return answer{delay: 25 * time.Second}
			}
			return answer{}
		}}
		c := config(t, w)
		c.RequestTimeout = 26 * time.Second // of a node timeout of 30 s
		node := newNode(t, c)
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if ops := w.ops(); ops != "register register heartbeat" {
			t.Errorf("sent %s, want a node that may have been written off to register", ops)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A renewal that fails is tried less and less often, and every five minutes in the end.
func TestRenewalsGoOnHoweverLongTheyFail_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if r.op == "register" && n > 0 {
				return answer{status: 503}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(7 * time.Hour)
		before := len(w.of("register"))
		time.Sleep(time.Hour)
		if n := len(w.of("register")) - before; n < 11 || n > 12 {
			t.Errorf("%d renewals in the eighth hour, want one every five minutes", n)
		}
		if err := node.Deregister(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
