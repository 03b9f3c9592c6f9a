package fleet

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// network is what lies between a fleet and a mock orchestratord in memory.
type network struct {
	mock  *mockserver.Server
	to    http.RoundTripper
	fault fault
}

// fault answers in orchestratord's place, with an answer or an error, or does not, with
// neither.
type fault func(r *http.Request, to http.RoundTripper) (*http.Response, error)

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if n.fault != nil {
		if response, err := n.fault(r, n.to); response != nil || err != nil {
			return response, err
		}
	}
	return n.to.RoundTrip(r)
}

func isHeartbeat(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/heartbeat") }

func answered(r *http.Request, status int, body string) (*http.Response, error) {
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
		Request: r,
	}, nil
}

// between returns a fault that lasts from one time to another.
func between(from, to time.Duration, trouble func(*http.Request) (*http.Response, error)) fault {
	begin := time.Now()
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		if at := time.Since(begin); at < from || at >= to {
			return nil, nil
		}
		return trouble(r)
	}
}

// simulate runs a fleet of 20 nodes for two minutes of a bubble's time, and returns
// its report and those whom orchestratord knows afterwards.
func simulate(
	t *testing.T, ctx context.Context, fault fault, change func(*Settings), out ...io.Writer,
) (*Report, []string) {
	t.Helper()
	result, left, err := tried(t, ctx, fault, change, out...)
	if err != nil {
		t.Fatal(err)
	}
	return result, left
}

// tried is simulate for a fleet that may fail.
func tried(
	t *testing.T, ctx context.Context, fault fault, change func(*Settings), out ...io.Writer,
) (*Report, []string, error) {
	t.Helper()
	mock, err := mockserver.New()
	if err != nil {
		t.Fatal(err)
	}
	defer mock.Close()
	s := Settings{
		Node: registration.Config{
			OrchestratordURL: "http://orchestratord", Address: "http://127.0.0.1:9200", Pools: []string{"pool-0"},
			Capabilities: MadeUp(), Version: "0.1.0",
			HeartbeatInterval: 10 * time.Second,
			Jitter:            func() float64 { return 0.5 }, // ticks lie 5 s after registrations
			HTTPClient:        &http.Client{Transport: &network{mock, mocktest.Transport(mock), fault}},
		},
		Prefix: "sim", Nodes: 20, Ramp: 10 * time.Second, Lifetime: 2 * time.Minute,
		Connections: 256, KillShare: 0.1, Down: 45 * time.Second,
	}
	if change != nil {
		change(&s)
	}
	result, err := Run(ctx, s, io.MultiWriter(out...))
	var left []string
	for _, node := range mock.Nodes() {
		left = append(left, node.Registration.NodeID)
	}
	return result, left, err
}
