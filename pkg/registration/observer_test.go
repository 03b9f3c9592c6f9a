package registration_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// troubled is a wire on which a node meets a little of everything: the third and
// fourth heartbeats are lost, the fifth finds it forgotten.
func troubled() *wire {
	beats := 0
	return &wire{answer: func(_ int, r request) answer {
		if r.op != "heartbeat" {
			return answer{}
		}
		switch beats++; beats {
		case 3, 4:
			return answer{err: errors.New("connection refused for " + token)}
		case 5:
			return problem(404, "unknown_node")
		}
		return answer{}
	}}
}

// A transport that panics costs the request, and not the program. What it panics with may hold a
// token.
func TestATransportThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen recorder
		c := config(t, &wire{})
		c.OnEvent = seen.add
		inner := c.HTTPClient.Transport
		requests := 0 // one at a time
		c.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if requests++; requests == 2 {
				panic("broken with " + token)
			}
			return inner.RoundTrip(r)
		})}
		node := beating(t, c, ready)
		time.Sleep(time.Minute)
		if s := node.Status(); s.State != registration.StateOnline || node.Healthy(time.Second) != nil {
			t.Errorf("the node is %s: %v", s.State, s.LastError)
		}
		node.Deregister(t.Context())
		var failed []string
		for _, e := range seen.events {
			if e.Type == registration.EventFailed {
				failed = append(failed, e.Err.Error())
			}
		}
		if len(failed) != 1 || !strings.Contains(failed[0], "panicked") || strings.Contains(failed[0], token) {
			t.Errorf("failed: %q", failed)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestLogIsQuietWhenAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		c := config(t, troubled())
		c.Logger = slog.New(slog.NewTextHandler(&out, nil))
		node := beating(t, c, ready)
		time.Sleep(time.Hour)
		node.Deregister(t.Context())
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		want := []string{
			"registered with", "msg=online", "msg=\"heartbeat failed\"", "does not know this node",
			"registered with", "msg=online", "deregistered from",
		}
		if len(lines) != len(want) {
			t.Fatalf("logged in an hour:\n%s", out.String())
		}
		for i, line := range lines {
			if !strings.Contains(line, want[i]) {
				t.Errorf("line %d is %s, want %s", i, line, want[i])
			}
			for _, key := range []string{"node_id=gpu-node-1", "machine_id=machine-alpha", "correlation_id="} {
				if !strings.Contains(line, key) {
					t.Errorf("line %s lacks %s", line, key)
				}
			}
		}
	})
}
