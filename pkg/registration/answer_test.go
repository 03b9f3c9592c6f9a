package registration_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// JSON has one kind of number, whatever Go has. What is out of bounds counts as the nearest bound,
// and what is no interval directs none.
func TestTheIntervalThatOrchestratordDirects(t *testing.T) {
	const undirected = registration.DefaultHeartbeatInterval
	for directed, want := range map[string]time.Duration{
		"2500": 2500 * time.Millisecond, "2500.0": 2500 * time.Millisecond, "2e4": 20 * time.Second,
		"1500.5": 1500500 * time.Microsecond,
		"0.1":    time.Second, "1": time.Second, "999": time.Second, "1000": time.Second,
		"1001":   1001 * time.Millisecond,
		"299999": 299999 * time.Millisecond, "300000": 5 * time.Minute, "300001": 5 * time.Minute,
		"86400000": 5 * time.Minute, "1e400": 5 * time.Minute,
		"0": undirected, "-1": undirected, "-2.5": undirected, "-1e400": undirected,
		`"2500"`: undirected, "null": undirected, "[]": undirected,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(_ int, r request) answer {
				if r.op == "heartbeat" {
					return answer{status: http.StatusOK, body: `{"success":true,"next_heartbeat_ms":` + directed + `}`}
				}
				return answer{}
			}}
			node := beating(t, config(t, w), ready)
			time.Sleep(600 * time.Millisecond) // since the first heartbeat 100 ms
			if s := node.Status(); s.Interval != want || s.State != registration.StateOnline {
				t.Errorf("%s: the interval is %v, want %v; state %s", directed, s.Interval, want, s.State)
			}
			if err := node.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnErrorSaysWhyAHeartbeatWasNotTaken(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		kind   error
		text   string
	}{
		"a page": {answer{status: 200, body: "<html>"}, registration.ErrUnavailable, "200: unreadable: invalid"},
		"a page with 203": {
			answer{status: 203, body: "<html>"}, registration.ErrUnavailable, "203: unreadable: invalid",
		},
		"a list": {answer{status: 200, body: "[]"}, registration.ErrUnavailable, "200: unreadable: json"},
		"no success": {
			answer{status: 200, body: `{"success":false}`}, registration.ErrUnavailable, "200: not taken (",
		},
		"no success, and an interval": {
			answer{status: 200, body: `{"success":false,"next_heartbeat_ms":10000}`},
			registration.ErrUnavailable,
			"200: not taken (",
		},
		"one broken off": {
			answer{status: 200, body: "{", length: 9}, registration.ErrUnavailable, "200: unexpected EOF (",
		},
		"no such node":    {answer{status: 404}, registration.ErrUnknownNode, "404 ("},
		"a bad heartbeat": {answer{status: 422, body: "no pools"}, registration.ErrRefused, "422: no pools ("},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer {
					if n == 1 {
						return test.answer
					}
					return answer{}
				}}
				var seen recorder
				c := config(t, w)
				c.OnEvent = seen.add
				node := beating(t, c, ready)
				time.Sleep(600 * time.Millisecond)
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				var failed *registration.Error
				if err := seen.events[1].Err; !errors.As(err, &failed) || !errors.Is(err, test.kind) ||
					failed.Op != "heartbeat" || !strings.Contains(err.Error(), test.text) {
					t.Errorf("the heartbeat ended with %v, want %v with %q", err, test.kind, test.text)
				}
			})
		})
	}
}

// An answer of more than 64 KiB is cut off there, whether it states its length or not.
func TestHowMuchOfAnAnswerIsRead(t *testing.T) {
	for _, beyond := range []int{0, 1} {
		for _, stated := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				const start, end = `{"success":true,"node_id":"gpu-node-1","message":"`, `"}`
				long := answer{
					status: http.StatusOK,
					body:   start + strings.Repeat("x", 64<<10+beyond-len(start+end)) + end,
				}
				if stated {
					long.length = int64(len(long.body))
				}
				w := &wire{answer: func(n int, _ request) answer {
					if n == 0 {
						return long
					}
					return answer{}
				}}
				node := registered(t, config(t, w))
				if got := len(w.of("register")); got != 1+beyond {
					t.Errorf("%d bytes, stated %t: attempt %d was the good one, want %d", len(long.body), stated, got,
						1+beyond)
				}
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
