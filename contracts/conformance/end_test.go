package conformance_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
)

// TestRemovalMayOutlastTheChecks lets the time for the checks end while the run removes its last
// nodes. All checks have passed by then, and so has the run.
func TestRemovalMayOutlastTheChecks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mock := newMock(t)
		var calls, quick atomic.Int64
		quick.Store(1 << 20)
		o := conformance.Options{URL: memnet.URL, Only: []string{"concurrency"}} // it leaves nodes to the removal
		o.Dial = memnet.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			delay := 10 * time.Millisecond
			if calls.Add(1) > quick.Load() {
				delay = 100 * time.Millisecond
			}
			time.Sleep(delay)
			mock.ServeHTTP(w, r)
		}))
		ample, err := conformance.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		before := int64(1 + ample.Checks[0].Calls) // the removal; the first asks whether anybody is there
		if removals := calls.Swap(0) - before; removals < 1 {
			t.Fatal("nothing was left to remove")
		}
		quick.Store(before)
		o.Time = (ample.Duration + 50*time.Millisecond) * 4 / 3 // a quarter of it is for the removal alone
		if _, err := conformance.Run(t.Context(), o); err != nil {
			t.Error(err)
		}
	})
}
