package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// lists returns a fault that has orchestratord answer calls for the list with a text, but for the first.
func lists(status int, text string) fault {
	var asked atomic.Bool
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		if r.Method != http.MethodGet || !asked.Swap(true) {
			return nil, nil
		}
		return answered(r, status, text)
	}
}

// Each node that is up counts as what the list says of it.
func TestTheCensus(t *testing.T) {
	var list []string
	for i, status := range []nodeapi.NodeStatus{
		nodeapi.NodeStatusOnline, nodeapi.NodeStatusDraining, nodeapi.NodeStatusRegistering, nodeapi.NodeStatusOffline,
		nodeapi.NodeStatusFailed, "of another version",
	} {
		list = append(list, fmt.Sprintf(`{"node_id":"sim-%d","status":%q}`, i, status))
	}
	list = append(list, `{"node_id":"other-6","status":"Failed"}`, `{"node_id":"sim-8","status":"Failed"}`)
	for name, test := range map[string]struct {
		status int
		text   string
		want   census
	}{
		"each status": {
			200, `{"nodes":[` + strings.Join(list, ",") + `]}`,
			census{Online: 1, Draining: 1, Registering: 2, Offline: 1, Failed: 2, Absent: 1},
		},
		"no list":    {200, `{}`, census{Error: "the list in the answer cannot be read: it has no nodes"}},
		"no answer":  {503, ``, census{Error: "answered 503 (correlation id "}},
		"an old one": {200, `{"nodes":[]}`, census{Absent: 7, Registering: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				list := lists(test.status, test.text)
				r, _ := simulate(t, t.Context(), func(r *http.Request, to http.RoundTripper) (*http.Response, error) {
					if isHeartbeat(r) && strings.Contains(r.URL.Path, "/sim-7/") { // whose first one is to come
						return answered(r, http.StatusInternalServerError, "")
					}
					return list(r, to)
				}, func(s *Settings) { s.Nodes, s.Ramp, s.Lifetime = 8, 0, 20*time.Second })
				got := r.Orchestratord
				if test.want.Error != "" && strings.HasPrefix(got.Error, test.want.Error) {
					got.Error = test.want.Error
				}
				if got != test.want {
					t.Errorf("the census is %+v, want %+v", got, test.want)
				}
			})
		})
	}
}

// Each node of a large fleet counts.
func TestTheCensusOfMany_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		const count = 1100
		r, _ := simulate(t, t.Context(), nil, func(s *Settings) { s.Nodes, s.Lifetime = count, 15*time.Second })
		if got := r.Orchestratord; got != (census{Online: count}) {
			t.Errorf("the census is %+v", got)
		}
	})
}

// A fleet asks for the list with the token of its nodes, or says why there is none.
func TestTheTokenOfTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		note := func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if r.Method == http.MethodGet {
				asked = append(asked, r.Header.Get("Authorization"))
			}
			return nil, nil
		}
		short := func(s *Settings) { s.Nodes, s.Lifetime = 1, time.Second }
		simulate(t, t.Context(), note, short)
		simulate(t, t.Context(), note, func(s *Settings) {
			short(s)
			s.Node.APIToken = registration.StaticToken("secret")
		})
		if diff := cmp.Diff([]string{"", "", "Bearer secret", "Bearer secret"}, asked); diff != "" {
			t.Errorf("the list was asked for with (-want +got):\n%s", diff)
		}
		why := errors.New("there is no token today")
		_, _, err := tried(t, t.Context(), note, func(s *Settings) {
			s.Node.APIToken = func(context.Context) (string, error) { return "half", why }
		})
		if !errors.Is(err, why) || len(asked) != 4 {
			t.Errorf("error is %v, and the list was asked for with %q", err, asked)
		}
	})
}

// Nodes without a token send none, and neither does who asks for the list.
func TestAFleetWhoseSourceHasNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stated := func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if got := r.Header.Values("Authorization"); got != nil {
				t.Errorf("%s %s has the Authorization %q", r.Method, r.URL, got)
			}
			return nil, nil
		}
		simulate(t, t.Context(), stated, func(s *Settings) {
			s.Nodes, s.Lifetime = 1, time.Second
			s.Node.APIToken = func(context.Context) (string, error) { return "", nil }
		})
	})
}
