package fleet

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// On a terminal the progress is a bar and as much of the line as there is room for.
func TestTheBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p, f := newProgress(&out), &fleet{ledger: newLedger()}
		for _, test := range []struct {
			takes, at time.Duration
			width     int
			want      string
		}{
			{0, time.Second, 200, "running 1s: 0 nodes up, 0 heartbeats, 0/s; 0 retried, 0 missed, 0 late"},
			{0, time.Second, 12, "running 1s:"},
			{10 * time.Second, 0, 33, "[····················] running 0"},
			{10 * time.Second, 5 * time.Second, 33, "[██████████··········] running 5"},
			{10 * time.Second, 10 * time.Second, 33, "[████████████████████] running 1"},
			{10 * time.Second, 20 * time.Second, 33, "[████████████████████] running 2"},
		} {
			out.Reset()
			p.enter("running", test.takes)
			time.Sleep(test.at)
			if p.show(f, test.width); out.String() != "\r\x1b[K"+test.want {
				t.Errorf("%v of %v is shown as %q, want %q", test.at, test.takes, out.String(), test.want)
			}
		}
	})
}

// Each phase of a fleet that takes a while has a line of its own.
func TestEachPhaseIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		simulate(t, t.Context(), func(*http.Request, http.RoundTripper) (*http.Response, error) {
			time.Sleep(900 * time.Millisecond)
			return nil, nil
		}, func(s *Settings) { s.Nodes, s.Ramp, s.Lifetime = 1, 0, time.Second }, &out)
		var phases []string
		for line := range strings.Lines(out.String()) {
			phase, _, _ := strings.Cut(line, ":")
			phases = append(phases, phase)
		}
		want := []string{
			"asking orchestratord 1s", "registering 0s", "running 0s", "asking orchestratord 0s", "deregistering 0s",
		}
		if diff := cmp.Diff(want, phases); diff != "" {
			t.Errorf("the phases (-want +got):\n%s\nin\n%s", diff, out.String())
		}
	})
}
