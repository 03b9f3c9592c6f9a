package fleet

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// What is done to a fleet on purpose keeps to its rate, its share and its time.
func TestTroubleIsMeasured(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(*Settings)
		want     troubleMade
		up       int
		draining int
	}{
		"no more than a share": {
			func(s *Settings) { s.KillRate, s.Down = 1, time.Hour }, troubleMade{Killed: 2}, 18, 0,
		},
		"none": {func(s *Settings) { s.KillRate, s.KillShare = 1, 0 }, troubleMade{}, 20, 0},
		"one after the other": {
			func(s *Settings) { s.KillRate, s.KillShare, s.Down = 0.1, 1, 5*time.Second },
			troubleMade{Killed: 6, Revived: 5},
			19, 0,
		},
		"changes": {func(s *Settings) { s.ChangeRate = 0.5 }, troubleMade{Changed: 30}, 20, -1},
		"free, busy and draining": {
			func(s *Settings) { s.Nodes, s.ChangeRate = 1, 1./25 }, troubleMade{Changed: 2}, 1, 1,
		},
		"and free again": {func(s *Settings) { s.Nodes, s.ChangeRate = 1, 1./17 }, troubleMade{Changed: 3}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				var registrations atomic.Int64
				counts := func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if strings.HasSuffix(r.URL.Path, "/register") {
						registrations.Add(1)
					}
					return nil, nil
				}
				r, left := simulate(t, t.Context(), counts, func(s *Settings) {
					s.Ramp, s.Lifetime = 0, 61*time.Second
					test.change(s)
				}, &out)
				last := out.String()[strings.LastIndex(out.String(), "running "):]
				if !strings.Contains(last, fmt.Sprintf("s: %d nodes up, ", test.up)) {
					t.Errorf("want %d nodes up at the end of\n%s", test.up, out.String())
				}
				o := r.Orchestratord
				if r.Trouble != test.want || o.Online+o.Draining+o.Registering != test.up ||
					test.draining >= 0 && o.Draining != test.draining {
					t.Errorf("trouble is %+v, orchestratord sees %+v", r.Trouble, o)
				}
				if got := int(registrations.Load()) - r.Nodes; got != int(r.Trouble.Killed) {
					t.Errorf("%d registrations more than nodes, want one for each crash", got)
				}
				if r.Broken() != nil || len(left) != 0 || r.Again != 0 {
					t.Errorf("broken is %q, left are %v, %d registered again", r.Broken(), left, r.Again)
				}
			})
		})
	}
}

// The pools of all nodes go through the same phases.
func TestThePhases(t *testing.T) {
	pool := registration.PoolStatus{
		PoolID: "a", Ready: true, SlotsFree: 4, SlotsTotal: 4, VRAMFreeBytes: 24e9, Engine: "llamacpp",
		ModelsAvailable: []string{"llama-3-8b"},
	}
	busy := pool
	busy.SlotsFree, busy.VRAMFreeBytes = 0, 8e9
	draining := busy
	draining.Ready, draining.Draining = false, true
	if diff := cmp.Diff([][]registration.PoolStatus{{pool}, {busy}, {draining}}, phases([]string{"a"})); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
}
