package fleet

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A node that crashed and cannot register again before the fleet ends has a record all the same.
func TestACrashThatNobodyRecoversFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crash = 20 * time.Second
		begin := time.Now()
		var asked atomic.Bool // by a request that the node no longer waits for
		r, left := simulate(t, t.Context(), nil, func(s *Settings) {
			s.Nodes, s.Ramp, s.Lifetime = 1, 0, crash+5*time.Second
			s.KillRate, s.KillShare, s.Down = 1/crash.Seconds(), 1, time.Second
			s.Node.APIToken = func(ctx context.Context) (string, error) {
				if at := time.Since(begin); at < crash || at >= s.Lifetime {
					return "token", nil
				}
				asked.Store(true)
				<-ctx.Done()
				return "", ctx.Err()
			}
		})
		if !asked.Load() || r.Trouble.Killed != 1 || r.Trouble.Revived != 0 {
			t.Errorf("the node was to start again: %t, report is %+v", asked.Load(), r)
		}
		if len(left) != 0 || r.Left != 0 {
			t.Errorf("left on record: %v, reported %d", left, r.Left)
		}
	})
}

// An orchestratord that does not take a crashed node back holds up the end of the fleet no longer than one shutdown.
func TestACrashedNodeThatIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crash = 20 * time.Second
		begin := time.Now()
		away := func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if time.Since(begin) < crash || !strings.HasSuffix(r.URL.Path, "/register") {
				return nil, nil
			}
			return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: r}, nil
		}
		r, _ := simulate(t, t.Context(), away, func(s *Settings) {
			s.Nodes, s.Ramp, s.Lifetime = 1, 0, crash+5*time.Second
			s.KillRate, s.KillShare, s.Down = 1/crash.Seconds(), 1, time.Hour
		})
		end := time.Since(begin) - crash - 5*time.Second
		if r.Trouble.Killed != 1 || r.Left != 1 || end > registration.DefaultShutdownTimeout {
			t.Errorf("the end took %v, and the report is %+v", end, r)
		}
	})
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
