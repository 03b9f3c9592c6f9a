package fleet

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestAFleetThatIsInterrupted(t *testing.T) {
	for name, after := range map[string]time.Duration{"in its ramp": 5 * time.Second, "while it runs": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(after, cancel)
				begin := time.Now()
				slow := func(*http.Request, http.RoundTripper) (*http.Response, error) {
					time.Sleep(300 * time.Millisecond) // so that there is a request to interrupt
					return nil, nil
				}
				r, left := simulate(t, ctx, slow, func(s *Settings) { s.Lifetime = 0 })
				broken := strings.Join(r.Broken(), "; ")
				if len(r.Failures) != 0 || r.Registered == 0 || r.Registered+r.Unregistered != 20 || len(left) != 0 ||
					time.Since(begin) < after || time.Since(begin) > after+2*time.Second {
					t.Errorf("after %v the report is %+v, and left on record is %v", time.Since(begin), r, left)
				}
				if (broken == "") != (r.Unregistered == 0) || r.Unregistered > 0 &&
					broken != fmt.Sprintf("nodes not registered when the fleet was interrupted: %d", r.Unregistered) {
					t.Errorf("%d nodes were not registered, and broken is %q", r.Unregistered, broken)
				}
				if inRamp := after < 10*time.Second; inRamp != (r.Unregistered > 0) {
					t.Errorf("%d nodes were not registered", r.Unregistered)
				}
			})
		})
	}
}

// A fleet leaves as far as orchestratord lets it, within a minute, and reports who is left.
func TestAFleetThatLeaves_heavy(t *testing.T) {
	const end, nearly = 30 * time.Second, 29 * time.Second
	swallowed := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	for name, test := range map[string]struct {
		nodes   int
		from    time.Duration
		trouble func(*http.Request) (*http.Response, error)
		left    int // at the least
		failure string
		within  time.Duration
	}{
		"from one that does not deregister": {
			20, nearly, func(r *http.Request) (*http.Response, error) {
				if r.Method != http.MethodDelete {
					return nil, nil
				}
				return answered(r, http.StatusInternalServerError, "")
			}, 20, "deregister: answered 500", 5 * time.Second,
		},
		"from one that is gone": {
			500, 15 * time.Second, func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			}, 500, "deregister: connection refused", 5 * time.Second,
		},
		"from one that is slow, and does not list its nodes": {
			500, nearly, func(r *http.Request) (*http.Response, error) {
				if r.Method != http.MethodDelete {
					return answered(r, http.StatusServiceUnavailable, "")
				}
				time.Sleep(time.Second)
				return nil, nil
			}, 0, "", 10 * time.Second,
		},
		"when the network swallows everything": {
			1000, nearly, swallowed, 1, "deregister: no answer in time", time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.nodes > 100 {
				race.Skip(t)
			}
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				r, left := simulate(t, t.Context(), between(test.from, time.Hour, test.trouble), func(s *Settings) {
					s.Nodes, s.Lifetime = test.nodes, end-s.Ramp
				})
				if took := time.Since(begin); took > end+test.within {
					t.Errorf("it left within %v", took-end)
				}
				if r.Left != len(left) || r.Left < test.left || test.left == 0 && r.Left > 0 {
					t.Errorf("left on record: %d, reported %d, want %d", len(left), r.Left, test.left)
				}
				var table strings.Builder
				_ = r.writeText(&table)
				if (r.Failures[test.failure] > 0) != (r.Left > 0) ||
					strings.Contains(table.String(), "nodes left on record") != (r.Left > 0) {
					t.Errorf("report is\n%s", table.String())
				}
				time.Sleep(registration.DefaultRequestTimeout) // what is in flight still comes to its end
			})
		})
	}
}

// An orchestratord carries out a registration that has left its sender, even one whose fleet has ended meanwhile.
func TestAFleetThatEndsDuringARegistration(t *testing.T) {
	const takes = time.Second
	for name, test := range map[string]struct {
		which     int64 // of the registrations
		crash     time.Duration
		forgotten bool // once, by the heartbeat after 15 s
		end       time.Duration
	}{
		"of a new node":               {which: 1, crash: time.Hour, end: takes / 2},
		"of a node that starts again": {which: 2, crash: 20 * time.Second, end: 21*time.Second + takes/2},
		"of a node that crashes": {
			which: 2, forgotten: true, crash: 15*time.Second + takes/2, end: 15*time.Second + takes*3/4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.end)
				defer cancel()
				begin := time.Now()
				var registrations atomic.Int64
				var lasted, forgotten atomic.Bool
				r, left := simulate(t, ctx, func(r *http.Request, to http.RoundTripper) (*http.Response, error) {
					switch {
					case r.Method == http.MethodDelete: // so that the fleet ends after the registration
						defer time.Sleep(2 * takes)
						return to.RoundTrip(r)
					case strings.HasSuffix(r.URL.Path, "/register") && registrations.Add(1) == test.which:
						defer func() { lasted.Store(ctx.Err() != nil) }()
						return lasting(r, to, takes)
					case test.forgotten && isHeartbeat(r) && time.Since(begin) >= 15*time.Second &&
						!forgotten.Swap(true):
						return answered(r, http.StatusNotFound, "")
					}
					return nil, nil
				}, func(s *Settings) {
					s.Nodes, s.Ramp, s.Lifetime = 1, 0, 0
					s.KillRate, s.KillShare, s.Down = 1/test.crash.Seconds(), 1, time.Second
				})
				if !lasted.Load() || r.Failures["register: no answer in time"] != 0 || r.Trouble.Revived != 0 ||
					r.Orchestratord != (census{}) {
					t.Errorf("it lasted beyond the end: %t, and the report is %+v", lasted.Load(), r)
				}
				if len(left) != 0 || r.Left != 0 {
					t.Errorf("left on record: %v, reported %d", left, r.Left)
				}
			})
		})
	}
}

// lasting carries out a request after a while, whether or not its sender still waits for the answer.
func lasting(r *http.Request, to http.RoundTripper, while time.Duration) (*http.Response, error) {
	arrives := r.Clone(context.WithoutCancel(r.Context()))
	answer := make(chan func() (*http.Response, error), 1)
	go func() {
		time.Sleep(while)
		response, err := to.RoundTrip(arrives)
		if err == nil {
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			response, err = answered(r, response.StatusCode, string(body))
		}
		answer <- func() (*http.Response, error) { return response, err }
	}()
	select {
	case a := <-answer:
		return a()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}
