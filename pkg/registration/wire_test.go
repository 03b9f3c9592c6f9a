package registration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// TestMain has the machine in a time zone that is not UTC: nothing that is sent may depend on it.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("elsewhere", 20_700) // 5:45 h
	remove, err := trustSystemAuthority()
	if err != nil {
		log.Fatal(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		remove()
		os.Exit(status)
	}))
}

// request is what a node sent: one of register, heartbeat and deregister.
type request struct {
	op     string
	at     time.Time
	header http.Header
	body   string
}

// pools returns the status that a heartbeat carried.
func (r request) pools(t *testing.T) []nodeapi.PoolStatus {
	t.Helper()
	var beat nodeapi.HeartbeatRequest
	if err := json.Unmarshal([]byte(r.body), &beat); err != nil {
		t.Fatalf("heartbeat %s: %v", r.body, err)
	}
	return beat.Pools
}

// wire is an orchestratord that does as a test says. It notes what was sent to
// it, and how many requests were in flight at most.
type wire struct {
	answer func(n int, r request) answer // n counts requests from 0; nil answers are good ones

	mu             sync.Mutex
	requests       []request
	inFlight, most int
	open           atomic.Int32 // bodies of answers
}

// answer is what comes back: by default what a well orchestratord says.
type answer struct {
	status int
	header http.Header
	body   string
	length int64         // that it states, 0 for none
	stalls bool          // the body outlasts the request
	err    error         // instead of an answer
	delay  time.Duration // before the answer, cut short with the request

	canceled *bool // set when the request was cut off
}

func well(op string) answer {
	switch op {
	case "register":
		return answer{status: 200, body: `{"success":true,"message":"registered","node_id":"gpu-node-1"}`}
	case "heartbeat":
		return answer{status: 200, body: `{"success":true,"next_heartbeat_ms":10000}`}
	default:
		return answer{status: 204}
	}
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	seen := w.note(r)
	defer w.done()

	a := answer{}
	if w.answer != nil {
		a = w.answer(seen.n, seen.request)
	}
	if a.status == 0 && a.err == nil {
		a.status, a.body = well(seen.op).status, well(seen.op).body
	}
	if a.delay > 0 {
		select {
		case <-time.After(a.delay):
		case <-r.Context().Done():
			if a.canceled != nil {
				*a.canceled = true
			}
			return nil, r.Context().Err()
		}
	}
	if err := errors.Join(a.err, r.Context().Err()); err != nil {
		return nil, unconnected(r, err)
	}
	header := a.header
	if header == nil {
		header = http.Header{}
	}
	w.open.Add(1)
	response := &http.Response{
		StatusCode: a.status, Header: header, Body: &body{strings.NewReader(a.body), w},
		ContentLength: a.length, Request: r,
	}
	if a.stalls {
		response.Body = lasting{r.Context()}
	}
	return response, nil
}

// body is that of an answer, which is to be closed once.
type body struct {
	io.Reader
	of *wire
}

func (b *body) Close() error {
	b.of.open.Add(-1)
	return nil
}

// lasting is a body that ends, without a byte, a second after the request that it answers.
type lasting struct{ ctx context.Context }

func (s lasting) Read([]byte) (int, error) {
	<-s.ctx.Done()
	time.Sleep(time.Second)
	return 0, s.ctx.Err()
}

func (s lasting) Close() error { return nil }

// unconnected returns an error, and if it is one of dialling traces what a transport
// traces of a connection that it does not get.
func unconnected(r *http.Request, err error) error {
	var dial *net.OpError
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && errors.As(err, &dial) {
		trace.GetConn("orchestratord:8080")
	}
	return err
}

type numbered struct {
	request
	n int
}

func (w *wire) note(r *http.Request) numbered {
	op := r.Method + " " + r.URL.Path
	switch {
	case strings.HasSuffix(op, "/v2/nodes/register"):
		op = "register"
	case strings.HasPrefix(op, "POST") && strings.HasSuffix(op, "/v2/nodes/gpu-node-1/heartbeat"):
		op = "heartbeat"
	case op == "DELETE /v2/nodes/gpu-node-1":
		op = "deregister"
	}
	var body bytes.Buffer
	if r.Body != nil {
		io.Copy(&body, r.Body)
		r.Body.Close()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := request{op: op, at: time.Now(), header: r.Header, body: body.String()}
	w.requests = append(w.requests, seen)
	w.inFlight++
	w.most = max(w.most, w.inFlight)
	return numbered{seen, len(w.requests) - 1}
}

func (w *wire) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight--
}

// sent returns what has been sent so far.
func (w *wire) sent() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]request(nil), w.requests...)
}

// peak returns how many requests were in flight at once, at the most.
func (w *wire) peak() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most
}

// of returns what has been sent so far of one operation.
func (w *wire) of(op string) []request {
	var matching []request
	for _, r := range w.sent() {
		if r.op == op {
			matching = append(matching, r)
		}
	}
	return matching
}

// ops spells what has been sent so far, in order.
func (w *wire) ops() string {
	var ops []string
	for _, r := range w.sent() {
		ops = append(ops, r.op)
	}
	return strings.Join(ops, " ")
}

const token = "a-token-that-must-never-be-seen-anywhere"

// config is that of the brief's node, on a wire; its logs go to the test.
func config(t testing.TB, w *wire) registration.Config {
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
		Logger:           slog.New(slog.NewTextHandler(tokenless{t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// atOnce is the jitter with the shortest pauses, for tests that pass in real time.
func atOnce() float64 { return 0 }

// discard is where servers log what is meant to go wrong.
var discard = log.New(io.Discard, "", 0)

// tokenless is a log in which the token must not show.
type tokenless struct{ t testing.TB }

func (l tokenless) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(token)) {
		l.t.Errorf("the token is in the log: %s", line)
	}
	return len(line), nil
}

func newNode(t testing.TB, c registration.Config) *registration.Node {
	t.Helper()
	node, err := registration.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// problem is an error answer as the contract describes it.
func problem(status int, code string) answer {
	return answer{
		status: status,
		header: http.Header{"Content-Type": {"application/problem+json"}},
		body: fmt.Sprintf(`{"type":"urn:x","title":"x","status":%d,"detail":"because","instance":"urn:y","code":%q}`,
			status, code),
	}
}

// plain is an error answer as the orchestratord in service gives it.
func plain(status int, text string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: text}
}
