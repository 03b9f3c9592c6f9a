package fleet

import (
	"context"
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
