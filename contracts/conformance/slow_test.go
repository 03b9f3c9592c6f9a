package conformance_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
)

// slowServers delay calls, by their path and how many came before. A run has to say in the
// end what took so long.
var slowServers = map[string]struct {
	delay func(r *http.Request, before int64) time.Duration
	want  string
}{
	"heartbeats of 3 s": {func(r *http.Request, _ int64) time.Duration {
		if strings.HasSuffix(r.URL.Path, "/heartbeat") {
			return 3 * time.Second
		}
		return 0
	}, "orchestratord departs from the contract: heartbeatNode: time at the 99th percentile: " +
		"expected 1s at most (CLOUD-11002), got 3.001s; the run ended early: most calls take too long"},
	"registrations of 6 s": {func(r *http.Request, _ int64) time.Duration {
		if strings.HasSuffix(r.URL.Path, "/register") {
			return 6 * time.Second
		}
		return 0
	}, "orchestratord departs from the contract: registerNode: time at the 99th percentile: " +
		"expected 5s at most (CLOUD-11001), got 6.001s; the run ended early: most calls take too long"},
	"lists of 4 s": {func(r *http.Request, _ int64) time.Duration {
		if r.Method == http.MethodGet {
			return 4 * time.Second
		}
		return 0
	}, "s each, and the check lives is unfinished"},
	"all calls of 0.5 s": {func(*http.Request, int64) time.Duration {
		return 500 * time.Millisecond
	}, "ms each, and the check lives is unfinished"},
	"no answer after 20 calls": {func(_ *http.Request, before int64) time.Duration {
		if before > 20 {
			return time.Hour
		}
		return 0
	}, "; the run ended early: orchestratord no longer answers: it took longer than 5s"},
}

// TestRunsEndInTime has no slow orchestratord keep a run from its end, and what to say there.
func TestRunsEndInTime(t *testing.T) {
	for name, slow := range slowServers {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var calls atomic.Int64
				server := newInService(token)
				o := conformance.Options{URL: memnet.URL, Token: token, Time: time.Minute}
				o.Dial = memnet.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-time.After(slow.delay(r, calls.Add(1))):
						server.ServeHTTP(w, r)
					case <-r.Context().Done():
					}
				}))
				began := time.Now()
				report, err := conformance.Run(t.Context(), o)
				if took := time.Since(began); took > o.Time {
					t.Errorf("it took %v", took)
				}
				if said := said(report, err); !strings.Contains(said, slow.want) {
					t.Errorf("not %q, but: %s", slow.want, said)
				}
			})
		})
	}
}

// said is what a run says in the end.
func said(report *conformance.Report, err error) string {
	if err != nil {
		return err.Error()
	}
	return report.Summary()
}
