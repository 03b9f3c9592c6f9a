// Package telemetry_test looks at the spans and metrics of a node through OpenTelemetry's SDK.
package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is an orchestratord that does as a test says, and notes what was sent to it, one request
// at a time.
type wire struct {
	answer  func(op string) answer // nil answers are good ones
	ops     []string
	headers []http.Header
}

// answer is what comes back: by default a good answer.
type answer struct {
	status int
	body   string
	err    error         // instead of an answer
	delay  time.Duration // before the answer, cut short with the request
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	op, good := "deregister", answer{status: http.StatusNoContent}
	switch {
	case strings.HasSuffix(r.URL.Path, "/register"):
		op, good = "register", answer{
			status: http.StatusOK,
			body:   `{"success":true,"message":"registered","node_id":"gpu-node-1"}`,
		}
	case strings.HasSuffix(r.URL.Path, "/heartbeat"):
		op, good = "heartbeat", answer{status: http.StatusOK, body: `{"success":true,"next_heartbeat_ms":10000}`}
	}
	w.ops, w.headers = append(w.ops, op), append(w.headers, r.Header)
	var a answer
	if w.answer != nil {
		a = w.answer(op)
	}
	if a.status == 0 && a.err == nil {
		a.status, a.body = good.status, good.body
	}
	select {
	case <-time.After(a.delay):
	case <-r.Context().Done():
	}
	if err := errors.Join(a.err, r.Context().Err()); err != nil {
		return nil, unconnected(r, err)
	}
	header := http.Header{}
	if strings.HasPrefix(a.body, `{"type"`) {
		header.Set("Content-Type", "application/problem+json")
	}
	return &http.Response{
		StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)),
		Request: r,
	}, nil
}

// unconnected returns an error. If it is one of dialling, the request's trace learns that it
// asked for a connection, as from a real transport.
func unconnected(r *http.Request, err error) error {
	var dial *net.OpError
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && errors.As(err, &dial) {
		trace.GetConn("orchestratord:8080")
	}
	return err
}

// problem is an error answer as the contract describes it.
func problem(status int, code string) answer {
	const text = `{"type":"urn:x","title":"x","status":%d,"detail":"because","instance":"urn:y","code":%q}`
	return answer{status: status, body: fmt.Sprintf(text, status, code)}
}

// troubled is a wire on which a node meets a little of everything: the third and
// fourth heartbeats are lost, the fifth finds it forgotten.
func troubled() *wire {
	beats := 0
	return &wire{answer: func(op string) answer {
		if op != "heartbeat" {
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

const token = "a-token-that-must-never-be-seen-anywhere"

func config(w *wire) registration.Config {
	return registration.Config{
		NodeID:           "gpu-node-1",
		MachineID:        "machine-alpha",
		Address:          "http://192.168.1.100:9200",
		OrchestratordURL: "http://orchestratord:8080",
		Pools:            []string{"pool-0", "pool-1"},
		Capabilities:     registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		APIToken:         registration.StaticToken(token),
		HTTPClient:       &http.Client{Transport: w},
		Jitter:           func() float64 { return 0.5 },
		Logger:           slog.New(slog.DiscardHandler),
	}
}

// ready is a status callback whose pools are well.
func ready(context.Context) ([]registration.PoolStatus, error) {
	return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
}

func newNode(t *testing.T, c registration.Config) *registration.Node {
	t.Helper()
	node, err := registration.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// beating returns a node that is registered and has its heartbeats: the first of them
// after half a second, the others at half of the interval.
func beating(t *testing.T, c registration.Config, status registration.StatusFunc) *registration.Node {
	t.Helper()
	node := newNode(t, c)
	if err := errors.Join(node.Register(t.Context()), node.StartHeartbeat(t.Context(), status)); err != nil {
		t.Fatal(err)
	}
	return node
}
