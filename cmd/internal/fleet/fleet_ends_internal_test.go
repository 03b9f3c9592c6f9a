package fleet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
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

func TestAFleetKnowsItsOwnNodes(t *testing.T) {
	s := Settings{Prefix: "sim-1", Nodes: 20}
	for id, ours := range map[string]bool{
		"sim-1-0": true, "sim-1-19": true,
		"sim-1-20": false, "sim-1-007": false, "sim-1-+3": false, "sim-1--1": false, "sim-1-": false, "sim-1": false,
		"sim-11-3": false, "sim-1-3-4": false,
	} {
		if index, is := s.index(id); is != ours || is && s.id(index) != id {
			t.Errorf("%s is node %d of the fleet: %v", id, index, is)
		}
	}
}
