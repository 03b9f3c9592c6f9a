package mockserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// fault returns the option of one fault that acts on every request it matches.
func fault(t testing.TB, rule string) mockserver.Option {
	t.Helper()
	parsed, err := faults.Parse([]byte("faults: {it: {rules: [" + rule + "]}}"))
	if err != nil {
		t.Fatal(err)
	}
	return mockserver.WithFaults(parsed)
}

// TestAnotherNode has a fault for one node leave others alone, whichever operation it is.
func TestAnotherNode(t *testing.T) {
	client, server := start(t, fault(t, "{match: {node: gpu-node-1}, effect: {status: 503}}"))
	client.register(briefRegistration).expect(t, http.StatusServiceUnavailable)
	client.register(edited(t, briefRegistration, "/node_id", "gpu-node-2")).expect(t, http.StatusOK)
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusServiceUnavailable)
	client.beat("gpu-node-2", briefHeartbeat).expect(t, http.StatusOK)
	client.deregister("gpu-node-1").expect(t, http.StatusServiceUnavailable)
	client.deregister("gpu-node-2").expect(t, http.StatusNoContent)
	client.list()
	client.register("{").expect(t, http.StatusBadRequest) // of no node that is known
	if got := stateOf(t, server, "it").Applied; got != 3 {
		t.Errorf("acted %d times", got)
	}
}

// TestOnlyRegistrationsAreRejected has a fault for all operations reject.
func TestOnlyRegistrationsAreRejected(t *testing.T) {
	client, server := start(t, fault(t, "{effect: {reject: true}}"))
	server.Load(fleet(t, 2))
	if rejected := client.register(briefRegistration).expect(t, http.StatusOK); string(rejected.text) == registered {
		t.Error("a registration is not rejected")
	}
	client.beat("node-000000", briefHeartbeat).expect(t, http.StatusOK) // which the document holds to a heartbeat's
	client.deregister("node-000001").expect(t, http.StatusNoContent)
	client.register("{}").expect(t, http.StatusUnprocessableEntity) // of nobody who could be rejected
	if list := client.list(); len(list.Nodes) != 1 || list.Nodes[0].NodeID != "node-000000" {
		t.Errorf("listed are %v, want the node that beats", list.Nodes)
	}
}

// The body is read ahead to see whose it is. That changes nothing for the handlers.
func TestReadAhead(t *testing.T) {
	const limit = 500
	client, _ := start(t, mockserver.WithBodyLimit(limit), fault(t, "{match: {node: other}, effect: {status: 503}}"))
	client.register(briefRegistration+strings.Repeat(" ", limit-len(briefRegistration))).expect(t, http.StatusOK)
	client.register(briefRegistration+strings.Repeat(" ", limit)).expect(t, http.StatusRequestEntityTooLarge)
}

func TestRestart(t *testing.T) {
	client, server := start(t,
		fault(t, "{match: {operations: [heartbeatNode], first_call: 2, times: 1}, "+
			"effect: {restart: true, latency_ms: 1}}"))
	client.register(briefRegistration)
	client.register(edited(t, briefRegistration, "/node_id", "gpu-node-2"))
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusNotFound)
	client.beat("gpu-node-2", briefHeartbeat).expect(t, http.StatusNotFound)
	if nodes := server.Nodes(); len(nodes) > 0 {
		t.Errorf("nodes %v", nodes)
	}
	client.register(briefRegistration).expect(t, http.StatusOK)
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
}

// TestFaultsEndByTheClock of the mock, not by that of the machine.
func TestFaultsEndByTheClock(t *testing.T) {
	still := clock.PausedAt(time.UnixMilli(startMs))
	client, _ := start(t, fault(t, "{match: {for_ms: 60000}, effect: {status: 503}}"), mockserver.WithClock(still))
	client.do("GET", "/v2/nodes", "").expect(t, http.StatusServiceUnavailable)
	still.Advance(time.Minute)
	client.do("GET", "/v2/nodes", "").expect(t, http.StatusOK)
}

// TestDeadlines has a fault take longer than the server gives a request otherwise.
func TestDeadlines(t *testing.T) {
	mock, err := mockserver.New(fault(t, "{effect: {latency_ms: 100}}"))
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(mock)
	listener.Config.ReadTimeout, listener.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	listener.Start()
	t.Cleanup(listener.Close)
	t.Cleanup(mock.Close)
	if got, err := post(t, t.Context(), listener.URL); err != nil || got.StatusCode != http.StatusOK {
		t.Errorf("answer %+v, error %v", got, err)
	}
}

// TestCorruptedInMemory is TestCorruptedRegistration for tests in bubbles, where time can
// be measured.
func TestCorruptedInMemory(t *testing.T) {
	for _, test := range []struct {
		effect     string
		want       error // nil for an answer
		takes      time.Duration
		registered bool
	}{
		{"{latency_ms: 500}", nil, 500 * time.Millisecond, true},
		{"{latency_ms: 3000}", context.DeadlineExceeded, 2 * time.Second, false},
		{"{connection: reset_before}", io.ErrUnexpectedEOF, 0, false},
		{"{connection: reset_after, latency_ms: 100}", io.ErrUnexpectedEOF, 100 * time.Millisecond, true},
		{"{connection: hang}", context.DeadlineExceeded, 2 * time.Second, false},
		{"{body: truncated}", io.ErrUnexpectedEOF, 0, true},
		{"{body: trickle, trickle_ms: 1}", nil, time.Duration(len(registered)-1) * time.Millisecond, true},
		{"{body: trickle}", context.DeadlineExceeded, 2 * time.Second, true},
	} {
		t.Run(test.effect, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock, err := mockserver.New(fault(t, "{effect: "+test.effect+"}"))
				if err != nil {
					t.Fatal(err)
				}
				defer mock.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				began := time.Now()
				_, err = postThrough(t, ctx, "http://orchestratord", mocktest.Transport(mock))
				if !errors.Is(err, test.want) {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if took := time.Since(began); took != test.takes {
					t.Errorf("took %s, want %s", took, test.takes)
				}
				if got := len(mock.Nodes()) == 1; got != test.registered {
					t.Errorf("registered: %t", got)
				}
			})
		})
	}
}

// TestWrongFaults has a server refuse to start.
func TestWrongFaults(t *testing.T) {
	_, err := mockserver.New(mockserver.WithNodeTimeout(0), mockserver.WithFaults(map[string]control.FaultDefinition{
		"it": {Rules: []control.FaultRule{{Effect: control.FaultEffect{Status: new(int32(200))}}}},
	}))
	if err == nil || !strings.Contains(err.Error(), "/faults/it/rules/0/effect/status: must be 400 or more") ||
		!strings.Contains(err.Error(), "node timeout") {
		t.Errorf("error %v", err)
	}
}

// post registers a node over a connection of its own. The answer's body has been read.
func post(t *testing.T, ctx context.Context, url string) (answer, error) {
	t.Helper()
	return postThrough(t, ctx, url, &http.Transport{DisableKeepAlives: true})
}

func postThrough(t *testing.T, ctx context.Context, url string, transport http.RoundTripper) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v2/nodes/register",
		strings.NewReader(briefRegistration))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{Response: response, text: text}, err
}

// declares reports whether the document declares a status for an operation.
func declares(c *client, id control.Operation, status int) bool {
	for _, path := range c.docs[0].Paths.Map() {
		for _, operation := range path.Operations() {
			if operation.OperationID == string(id) {
				return operation.Responses.Value(strconv.Itoa(status)) != nil
			}
		}
	}
	return false
}

func stateOf(t *testing.T, server *mocktest.Server, name string) control.FaultState {
	t.Helper()
	states := server.Faults().List()
	i := slices.IndexFunc(states, func(state control.FaultState) bool { return state.Name == name })
	if i < 0 {
		t.Fatalf("there is no fault %q", name)
	}
	return states[i]
}

// signal receives a value when a fault acts.
type signal chan struct{}

func (s signal) Enabled(context.Context, slog.Level) bool { return true }

func (s signal) Handle(_ context.Context, record slog.Record) error {
	if record.Message == "fault acts" {
		s <- struct{}{}
	}
	return nil
}

func (s signal) WithAttrs([]slog.Attr) slog.Handler { return s }
func (s signal) WithGroup(string) slog.Handler      { return s }

// TestFaultRecord looks at what the journal and the metrics say became of requests.
func TestFaultRecord(t *testing.T) {
	log := newLog()
	client, server := start(t, mockserver.WithLogger(log.logger), fault(t, `
		{match: {operations: [registerNode], last_call: 1}, effect: {connection: reset_before}},
		{match: {operations: [registerNode], last_call: 2}, effect: {connection: reset_after}},
		{match: {operations: [registerNode], last_call: 3}, effect: {status: 503}}`))
	for range 2 {
		if _, err := post(t, t.Context(), server.URL); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("error %v", err)
		}
	}
	client.register(briefRegistration).expect(t, http.StatusServiceUnavailable)
	client.register(briefRegistration).expect(t, http.StatusOK)

	var got []string
	acted := log.entries("fault acts")
	for i, entry := range server.Journal().Page(journal.Filter{Kind: control.EntryKindExchange}, 10).Entries {
		line := "undisturbed"
		if i < 3 && (len(acted) != 3 || acted[i].attrs["correlation_id"] != *entry.CorrelationID) {
			t.Errorf("logged %v, want the correlation id %s", acted, *entry.CorrelationID)
		}
		if entry.Fault != nil {
			line = *entry.Fault
		}
		line += " " + string(*entry.NodeID)
		if entry.Answer.Status != nil {
			line += fmt.Sprint(" ", *entry.Answer.Status)
		}
		if entry.Request.Body == nil {
			t.Errorf("%s: the request has no body", line)
		}
		got = append(got, line)
	}
	if want := []string{
		"it gpu-node-1", "it gpu-node-1", "it gpu-node-1 503",
		"undisturbed gpu-node-1 200",
	}; !slices.Equal(got, want) {
		t.Errorf("journal %q, want %q", got, want)
	}
	counted := samples(fetch(t, http.MethodGet, server.URL+"/metrics"))
	for outcome, want := range map[string]string{"success": "1", "error": "1"} {
		if got := counted[`orchd_node_registrations_total{outcome="`+outcome+`"}`]; got != want {
			t.Errorf("%s: %s counted, want %s", outcome, got, want)
		}
	}
}
