package mockserver_test

import (
	"cmp"
	"context"
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

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// TestEveryHeartbeatIsAccountedFor_heavy sends heartbeats of several nodes at once through a front with
// faults, each once. The front has all of them, and orchestratord those that the front let pass.
func TestEveryHeartbeatIsAccountedFor_heavy(t *testing.T) {
	t.Parallel()
	const nodes = 8
	beats := race.Share(t, 60, 20)
	orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService), mockserver.WithJournal(10_000))
	front := inFront(t, orchestratord.URL, mockserver.WithDialect(mockserver.InService), mockserver.WithJournal(10_000))
	some := func(effect control.FaultEffect) control.FaultRule {
		return control.FaultRule{Match: &control.FaultMatch{Probability: new(0.1)}, Effect: effect}
	}
	front.Inject(t, "some", control.FaultDefinition{Rules: control.FaultRules{
		some(control.FaultEffect{Status: new(int32(http.StatusServiceUnavailable))}),
		some(control.FaultEffect{Connection: new(control.FaultEffectConnectionResetBefore)}),
		some(control.FaultEffect{Connection: new(control.FaultEffectConnectionResetAfter)}),
		some(control.FaultEffect{Body: new(control.FaultEffectBodyTruncated)}),
	}})
	var sending sync.WaitGroup
	for n := range nodes {
		sending.Go(func() {
			for b := range beats {
				send(t, front.URL, fmt.Sprintf("gpu-node-%d", n), fmt.Sprintf("beat-%d-%d", n, b))
			}
		})
	}
	sending.Wait()
	passed, there := heartbeats(front), heartbeats(orchestratord)
	if len(passed) != nodes*beats {
		t.Errorf("%d heartbeats were sent, the front has %d", nodes*beats, len(passed))
	}
	for id, entry := range passed {
		refused := entry.Fault != nil &&
			(entry.Answer.Status == nil || *entry.Answer.Status == http.StatusServiceUnavailable)
		if _, seen := there[id]; !seen && !refused {
			t.Errorf("orchestratord has not seen %s: %s", id, entry.Summary)
		}
		delete(there, id)
	}
	for id := range there {
		t.Errorf("orchestratord has seen %s, and the front has not", id)
	}
}

// send sends a heartbeat over a connection of its own: over one that is kept, a client may send it
// again.
func send(t *testing.T, url, node, id string) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v2/nodes/"+node+"/heartbeat",
		strings.NewReader(rustHeartbeat))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Correlation-Id", id)
	request.Close = true
	if answer, err := http.DefaultClient.Do(request); err == nil { // else a fault acts
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}

// heartbeats returns those in the journal, by their correlation ids.
func heartbeats(server *mocktest.Server) map[string]control.JournalEntry {
	found := map[string]control.JournalEntry{}
	filter := journal.Filter{Operation: control.OperationHeartbeatNode, After: new(control.Sequence)}
	for {
		page := server.Journal().Page(filter, 1000)
		if len(page.Entries) == 0 {
			return found
		}
		for _, entry := range page.Entries {
			found[*entry.CorrelationID] = entry
		}
		filter.After = &page.Last
	}
}

var (
	fleetNodes = flag.Int("fleet-nodes", 0, "how many nodes there are in the account of a fleet, 0 for the usual")
	fleetWire  = flag.Bool("fleet-wire", false, "the account of a fleet is made over TCP and in real time")
)

// TestTheAccountOfAFleet_heavy has a fleet of real clients live for two minutes before a front with faults
// that are switched on and off. Each of their heartbeats is accounted for, by the fleet, the front
// and the orchestratord in service alike.
func TestTheAccountOfAFleet_heavy(t *testing.T) {
	quiet := mockserver.WithLogger(slog.New(slog.DiscardHandler))
	options := []mockserver.Option{
		quiet, mockserver.WithDialect(mockserver.InService), mockserver.WithJournal(100_000),
	}
	if *fleetWire {
		orchestratord := mocktest.Start(t, options...)
		front := inFront(t, orchestratord.URL, options...)
		wire := &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}
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
	for n := range cmp.Or(*fleetNodes, race.Share(t, 100, 10)) {
		node, err := registration.New(registration.Config{
			NodeID: fmt.Sprint("gpu-node-", n), MachineID: "machine-alpha", Address: "http://127.0.0.1:9200",
			Pools: []string{"pool-0"}, OrchestratordURL: front.URL, HeartbeatInterval: 5 * time.Second,
			ShutdownTimeout: time.Minute, HTTPClient: &http.Client{Transport: w}, Logger: slog.New(slog.DiscardHandler),
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
	broken error // why there is none, or not all of it
	gaveUp bool  // whether that is because the node gave up
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.wire.RoundTrip(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	id := r.Header.Get("X-Correlation-Id")
	seen := sight{path: r.URL.Path, times: w.seen[id].times + 1, broken: err, gaveUp: r.Context().Err() != nil}
	if err == nil {
		seen.status = int32(answer.StatusCode)
		answer.Body = &attested{answer.Body, w, r}
	}
	w.seen[id] = seen
	return answer, err
}

// attested is the body of an answer. One that breaks off counts as none.
type attested struct {
	io.ReadCloser
	w *witness
	r *http.Request
}

func (a *attested) Read(buffer []byte) (int, error) {
	n, err := a.ReadCloser.Read(buffer)
	if err != nil && err != io.EOF {
		a.w.mu.Lock()
		defer a.w.mu.Unlock()
		id := a.r.Header.Get("X-Correlation-Id")
		seen := a.w.seen[id]
		seen.broken, seen.gaveUp = err, a.r.Context().Err() != nil
		a.w.seen[id] = seen
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

// What became of a heartbeat.
const (
	fateUnsent   = "given up by the node before the front had it"
	fateRefused  = "refused by a fault"
	fateDropped  = "given up by the node before orchestratord had it"
	fateAnswered = "answered untouched"
	fateTouched  = "answer touched by a fault"
	fateLate     = "given up by the node before the answer"
)

// reconcile holds three accounts of heartbeats against each other.
func reconcile(t *testing.T, sent map[string]sight, passed, taken map[string]control.JournalEntry) {
	t.Helper()
	became := map[string]int{}
	for id, seen := range sent {
		entry, known := passed[id]
		arrived, there := taken[id]
		fate := fateOf(seen, entry, known, arrived, there)
		if became[fate]++; fate == "" || seen.times != 1 {
			t.Errorf("%s: the node saw %+v, the front %q, orchestratord %q", id, seen, entry.Summary, arrived.Summary)
		}
	}
	strangers(t, "the front", passed, func(id string) bool { return sent[id].times > 0 })
	strangers(t, "orchestratord", taken, func(id string) bool { _, known := passed[id]; return known })
	t.Logf("%d heartbeats were sent, the front has %d, orchestratord %d", len(sent), len(passed), len(taken))
	for _, fate := range []string{fateUnsent, fateRefused, fateDropped, fateAnswered, fateTouched, fateLate} {
		t.Logf("%8d %s", became[fate], fate)
	}
	if len(passed) != len(sent)-became[fateUnsent] || became[fateRefused] == 0 || became[fateTouched] == 0 ||
		len(taken) != became[fateAnswered]+became[fateTouched]+became[fateLate] {
		t.Error("the account does not balance, or no fault acted")
	}
}

// fateOf returns what became of a heartbeat, or "" if the accounts of it contradict each other.
func fateOf(seen sight, passed control.JournalEntry, known bool, taken control.JournalEntry, there bool) string {
	switch {
	case !known && seen.gaveUp:
		return fateUnsent
	case !known:
		return ""
	case !there && passed.Fault != nil:
		return fateRefused
	case !there && seen.gaveUp:
		return fateDropped
	case !there:
		return ""
	case passed.Fault != nil:
		return fateTouched
	case seen.gaveUp:
		return fateLate
	case seen.broken == nil && seen.status == statusOf(passed) && seen.status == statusOf(taken):
		return fateAnswered
	}
	return ""
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
