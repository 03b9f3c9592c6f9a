package fleet

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// Registrations are spread over the ramp, and tried for a minute more.
func TestTheRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/register") {
				at = append(at, time.Since(begin))
			}
			return nil, nil
		}, func(s *Settings) { s.Nodes, s.Lifetime = 4, time.Second })
		want := []time.Duration{0, 2500 * time.Millisecond, 5 * time.Second, 7500 * time.Millisecond}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("registrations (-want +got):\n%s", diff)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, left := simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/register") {
				return answered(r, http.StatusServiceUnavailable, "")
			}
			return nil, nil
		}, nil)
		if r.Failures["register: answered 503"] < 20 {
			t.Errorf("failures are %v", r.Failures)
		}
		if r.Unregistered != 20 || r.Interrupted || r.Fleets[0].Ran != 10+60+120 || len(left) != 0 || r.Left != 0 {
			t.Errorf("%d not registered, left are %d, %v, the fleet is %+v", r.Unregistered, r.Left, left, r.Fleets)
		}
	})
}

// A node that never can be registered ends the fleet at once; the others leave.
func TestALostCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, left, err := tried(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/register") && time.Since(begin) >= 5*time.Second {
				return answered(r, http.StatusUnauthorized, "")
			}
			return nil, nil
		}, nil)
		if !errors.Is(err, registration.ErrUnauthorized) || len(left) != 0 || time.Since(begin) > 6*time.Second {
			t.Errorf("after %v the error is %v, and left are %v", time.Since(begin), err, left)
		}
	})
}
