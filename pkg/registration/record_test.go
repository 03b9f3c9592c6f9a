package registration_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A node that orchestratord does not know any more, and takes no more, leaves without a word:
// the record that comes under its name is another's.
func TestANodeThatWasForgottenAndRefusedSendsNoDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			switch {
			case r.op == "heartbeat":
				return answer{status: http.StatusNotFound, body: `{"success":false,"next_heartbeat_ms":10000}`}
			case n > 0:
				return problem(http.StatusUnprocessableEntity, "contract_violation")
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(5 * time.Second)
		if err := node.Deregister(t.Context()); err != nil || len(w.of("deregister")) > 0 {
			t.Errorf("sent %s, Deregister returned %v, want no DELETE", w.ops(), err)
		}
	})
}

// A shutdown that comes late has the time that it needs.
func TestDeregisterWithADeadlineThatHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := newNode(t, config(t, w))
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		late, cancel := context.WithTimeout(t.Context(), -time.Second)
		defer cancel()
		if err := node.Deregister(late); err != nil || w.ops() != "register deregister" {
			t.Errorf("sent %s, Deregister returned %v", w.ops(), err)
		}
	})
}

// An orchestratord that takes heartbeats and no registrations is asked for one less and less
// often, and loses no heartbeat by it.
func TestARefreshThatFailsIsTriedLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if r.op == "register" && n > 0 {
				return answer{status: http.StatusServiceUnavailable}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Hour)
		if n := len(w.of("register")); n < 10 || n > 25 {
			t.Errorf("%d registrations in an hour, want one every 5 minutes after the first few", n)
		}
		if n := len(w.of("heartbeat")); n < 355 {
			t.Errorf("%d heartbeats in an hour, want 360", n)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What failed is tried again on a new connection: the name may point elsewhere by now.
func TestAFailedAttemptDialsAnew(t *testing.T) {
	var mu sync.Mutex
	var from []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if from = append(from, r.RemoteAddr); len(from) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		op, _ := opOf(r)
		w.WriteHeader(well(op).status)
		w.Write([]byte(well(op).body))
	}))
	defer server.Close()
	c := config(t, nil)
	c.HTTPClient, c.OrchestratordURL = nil, server.URL
	node := newNode(t, c)
	if err := node.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := node.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(from) != 3 || len(slices.Compact(slices.Clone(from))) != 2 || from[0] == from[1] {
		t.Errorf("requests came from %v, want the first from a connection of its own", from)
	}
}

// Pings find a dead HTTP/2 connection before orchestratord misses the node.
func TestPingsFollowTheNodeTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{0, 8 * time.Second, 10 * time.Minute} {
		pings := registration.NewTransport(timeout).HTTP2
		limit := timeout
		if limit == 0 {
			limit = registration.DefaultNodeTimeout
		}
		if pings.SendPingTimeout <= 0 || pings.PingTimeout <= 0 || pings.SendPingTimeout+pings.PingTimeout >= limit {
			t.Errorf("with a node timeout of %v it pings after %v and waits for %v",
				limit, pings.SendPingTimeout, pings.PingTimeout)
		}
	}
}

// A server that gives another reason each time does not fill the log.
func TestOtherReasonsAgainAndAgainDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if r.op == "heartbeat" {
				return plain(http.StatusServiceUnavailable, "queue "+strings.Repeat("x", n))
			}
			return answer{}
		}}
		var lines strings.Builder
		c := config(t, w)
		c.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelWarn}))
		node := beating(t, c, ready)
		time.Sleep(50 * time.Second)
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(lines.String(), "\n"); n < 2 || n > 8 {
			t.Errorf("%d lines about %d failures, want 8 at the most", n, len(w.of("heartbeat")))
		}
	})
}

// What a caller does with its own memory after New and Update is no business of the node's.
func TestADescriptionIsTheNodesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		gpu := registration.GPU{Name: "RTX 3090", VRAMTotalBytes: 24e9, ComputeCapability: "8.6"}
		c := config(t, w)
		c.Pools, c.Capabilities.GPUs = []string{"pool-0"}, []registration.GPU{gpu}
		node := newNode(t, c)
		c.Pools[0], c.Capabilities.GPUs[0].Name = "spoilt", "spoilt"
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := registration.Description{
			Address: c.Address, Pools: []string{"pool-1"},
			Capabilities: registration.Capabilities{GPUs: []registration.GPU{gpu}},
		}
		if err := node.Update(d); err != nil {
			t.Fatal(err)
		}
		d.Pools[0], d.Capabilities.GPUs[0].Name = "spoilt", "spoilt"
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range w.of("register") {
			if strings.Contains(r.body, "spoilt") {
				t.Errorf("it registers as %s", r.body)
			}
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Orchestratord counts from when it took the registration, which may be when it was sent.
func TestARegistrationCountsFromWhenItWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			if n == 0 {
				return answer{delay: 25 * time.Second}
			}
			return answer{}
		}}
		c := config(t, w)
		c.RequestTimeout = 26 * time.Second // of a node timeout of 30 s
		node := newNode(t, c)
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if ops := w.ops(); ops != "register register heartbeat" {
			t.Errorf("sent %s, want a node that may have been written off to register", ops)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAnErrorSaysForHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, request) answer {
			return answer{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"7"}}}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		node := newNode(t, config(t, w))
		err := node.Register(ctx)
		var e *registration.Error
		if !errors.As(err, &e) || e.RetryAfter != 7*time.Second {
			t.Errorf("the error is %v, want one with a RetryAfter of 7s", err)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// News brings no registration forward: a node that is forgotten again and again asks less often.
func TestNewsDuringACooldownWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(_ int, r request) answer {
			if r.op == "heartbeat" {
				return answer{status: http.StatusNotFound}
			}
			return answer{}
		}}
		c := config(t, w)
		c.Jitter = func() float64 { return 0.99 } // pauses of nearly 1, 2, 4, … s
		node := beating(t, c, ready)
		for range 240 {
			time.Sleep(250 * time.Millisecond)
			node.Notify()
		}
		if n := len(w.of("register")); n > 8 {
			t.Errorf("%d registrations in a minute of 404, want 8 at the most", n)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
