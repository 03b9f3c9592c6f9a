package mockserver_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/registration"
)

var (
	fleetNodes = flag.Int("fleet-nodes", 200, "how many nodes there are in the account of a fleet")
	fleetWire  = flag.Bool("fleet-wire", false, "the account of a fleet is made over TCP and in real time")
)

// TestTheAccountOfAFleet has a fleet of real clients live for two minutes before a front with faults
// that are switched on and off. Each of their heartbeats is accounted for, by the fleet, the front
// and the orchestratord in service alike.
func TestTheAccountOfAFleet(t *testing.T) {
	quiet := mockserver.WithLogger(slog.New(slog.DiscardHandler))
	options := []mockserver.Option{
		quiet, mockserver.WithDialect(mockserver.InService), mockserver.WithJournal(100_000),
	}
	if *fleetWire {
		orchestratord := mocktest.Start(t, options...)
		front := inFront(t, orchestratord.URL, options...)
		wire := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}
		defer wire.CloseIdleConnections()
		accountOf(t, wire, front, orchestratord)
		return
	}
	synctest.Test(t, func(t *testing.T) {
		orchestratord := mocktest.InMemory(t, options...)
		front := mocktest.InMemory(t, append(options, mockserver.WithUpstream(mockserver.Upstream{
			URL: orchestratord.URL, Transport: mocktest.Transport(orchestratord.Server),
		}))...)
		accountOf(t, mocktest.Transport(front.Server), front, orchestratord)
	})
}

func accountOf(t *testing.T, wire http.RoundTripper, front, orchestratord *mocktest.Server) {
	t.Helper()
	w := &witness{wire: wire, seen: map[string]sight{}}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var nodes sync.WaitGroup
	for n := range *fleetNodes {
		node, err := registration.New(registration.Config{
			NodeID: fmt.Sprint("gpu-node-", n), MachineID: "machine-alpha", Address: "http://127.0.0.1:9200",
			Pools: []string{"pool-0"}, OrchestratordURL: front.URL, HeartbeatInterval: 5 * time.Second,
			HTTPClient: &http.Client{Transport: w}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		nodes.Go(func() {
			if err := node.Run(ctx, ready); err != nil {
				t.Errorf("node %d: %v", n, err)
			}
		})
	}
	for _, fault := range []string{"flaky", "throttled", "flaky"} {
		time.Sleep(20 * time.Second)
		front.Faults().Switch(fault, true)
		time.Sleep(15 * time.Second)
		front.Faults().Switch(fault, false)
	}
	time.Sleep(15 * time.Second)
	leave()
	nodes.Wait()
	reconcile(t, w.heartbeats(), heartbeats(front), heartbeats(orchestratord))
}

// witness is the transport of a fleet, which takes down what becomes of each request.
type witness struct {
	wire http.RoundTripper

	mu   sync.Mutex
	seen map[string]sight // by correlation id
}

// sight is what a node has seen of one of its requests.
type sight struct {
	path   string
	times  int
	status int32 // 0 without an answer
	err    error // why there is none
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.wire.RoundTrip(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	id := r.Header.Get("X-Correlation-Id")
	seen := sight{path: r.URL.Path, times: w.seen[id].times + 1, err: err}
	if err == nil {
		seen.status = int32(answer.StatusCode)
		answer.Body = &attested{answer.Body, w, id}
	}
	w.seen[id] = seen
	return answer, err
}

// attested is the body of an answer. One that breaks off counts as none.
type attested struct {
	io.ReadCloser
	w  *witness
	id string
}

func (a *attested) Read(buffer []byte) (int, error) {
	n, err := a.ReadCloser.Read(buffer)
	if err != nil && err != io.EOF {
		a.w.mu.Lock()
		defer a.w.mu.Unlock()
		seen := a.w.seen[a.id]
		seen.err = err
		a.w.seen[a.id] = seen
	}
	return n, err
}

// heartbeats returns what was seen of heartbeats.
func (w *witness) heartbeats() map[string]sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[string]sight{}
	for id, seen := range w.seen {
		if strings.HasSuffix(seen.path, "/heartbeat") {
			found[id] = seen
		}
	}
	return found
}

// reconcile holds three accounts of heartbeats against each other.
func reconcile(t *testing.T, sent map[string]sight, passed, taken map[string]control.JournalEntry) {
	t.Helper()
	var refused, spoiled, accepted, late int
	for id, seen := range sent {
		entry, known := passed[id]
		arrived, there := taken[id]
		switch {
		case seen.times != 1:
			t.Errorf("%s was sent %d times", id, seen.times)
		case !known:
			t.Errorf("%s was sent (%+v), and the front has not seen it", id, seen)
		case !there && entry.Fault == nil:
			t.Errorf("%s passed the front without a fault, and orchestratord has not seen it: %s", id, entry.Summary)
		case !there:
			refused++
		case entry.Fault != nil:
			spoiled++
		case errors.Is(seen.err, context.DeadlineExceeded), errors.Is(seen.err, context.Canceled):
			late++ // the node gave up, or was cut off by its own next heartbeat
		case seen.err != nil, seen.status != statusOf(entry), seen.status != statusOf(arrived):
			t.Errorf("%s: the node saw %d (%v), the front %s, orchestratord %s", id, seen.status, seen.err,
				entry.Summary, arrived.Summary)
		default:
			accepted++
		}
	}
	strangers(t, "the front", passed, func(id string) bool { return sent[id].times > 0 })
	strangers(t, "orchestratord", taken, func(id string) bool { _, known := passed[id]; return known })
	t.Logf("sent %d = refused by a fault %d + taken by orchestratord %d, and "+
		"%[3]d = answered untouched %d + answer touched by a fault %d + given up by the node %d",
		len(sent), refused, len(taken), accepted, spoiled, late)
	if len(sent) != refused+len(taken) || len(taken) != accepted+spoiled+late || refused == 0 || spoiled == 0 {
		t.Error("the account does not balance, or no fault acted")
	}
}

// statusOf returns the status of the answer in an entry, or 0 without one.
func statusOf(entry control.JournalEntry) int32 {
	if entry.Answer == nil || entry.Answer.Status == nil {
		return 0
	}
	return *entry.Answer.Status
}

// strangers complains about the heartbeats of a journal that nobody has sent.
func strangers(t *testing.T, whose string, entries map[string]control.JournalEntry, known func(string) bool) {
	t.Helper()
	for id, entry := range entries {
		if !known(id) {
			t.Errorf("%s has %s, which nobody has sent: %s", whose, id, entry.Summary)
		}
	}
}
