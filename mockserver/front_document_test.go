package mockserver_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestWhatIsInServiceKeepsItsDocument has the orchestratord in service answer in all the ways that
// it has. None of that is drift, if it is held to its own document.
func TestWhatIsInServiceKeepsItsDocument(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dialect  mockserver.Dialect
		document []byte
		drifts   bool
	}{
		"dialect":          {mockserver.InService, nil, false},
		"overlay":          {mockserver.Document, openapi.InService, false},
		"another document": {mockserver.Document, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService),
				mockserver.WithTokens("s3cret"), mockserver.WithBodyLimit(4000))
			front := mocktest.Start(t, mockserver.WithDialect(test.dialect),
				mockserver.WithUpstream(mockserver.Upstream{URL: orchestratord.URL, Document: test.document}))
			statuses := callInAllWays(t, front, orchestratord)
			for _, want := range []int{200, 204, 400, 401, 404, 405, 413, 415, 422, 503} {
				if statuses[want] == 0 {
					t.Errorf("nothing was answered %d", want)
				}
			}
			if got := front.UpstreamDrift().Entries; (len(got) > 0) != test.drifts {
				t.Errorf("orchestratord drifts: %v, want some: %t", got, test.drifts)
			}
		})
	}
}

// TestDriftOfAnswers has orchestratord answer heartbeats as the contract does not know it.
func TestDriftOfAnswers(t *testing.T) {
	const good = `{"success":true,"next_heartbeat_ms":10000}`
	for name, test := range map[string]struct {
		status int
		header http.Header
		body   string
		want   string // "" for no drift
	}{
		"good": {200, nil, good, ""},
		"an odd status": {
			418, nil, good, `"": must be 200, 400, 401, 404, 405, 413, 415, 422, 429, 500 or 503 (got 418)`,
		},
		"two ids": {
			200,
			http.Header{"X-Correlation-Id": {"id", "a"}},
			good,
			`"X-Correlation-Id": must be there once (got 2 times)`,
		},
		"another id": {
			200,
			http.Header{"X-Correlation-Id": {"a"}},
			good,
			`"X-Correlation-Id": must be that of the request (got another)`,
		},
		"no type": {
			200, http.Header{"Content-Type": nil}, good, `"Content-Type": must be application/json (got nothing)`,
		},
		"another type": {
			200,
			http.Header{"Content-Type": {"text/html"}},
			good,
			`"Content-Type": must be application/json (got "text/html")`,
		},
		"half a body": {
			200, nil, `{"success":true`, `"": must be JSON (got unexpected end of JSON input, at byte 15)`,
		},
		"no body": {200, nil, "", `"": must be JSON (got nothing)`},
		"a field twice": {
			200, nil, withFields(`"success":true`, good),
			`"/success": must be there once (got more than one, the last one counts)`,
		},
		"a number too high": {
			200, nil, strings.Replace(good, "10000", "1e400", 1),
			`"/next_heartbeat_ms": must be of type integer (got a number out of range)`,
		},
		"no Retry-After": {
			503,
			http.Header{"Content-Type": {"application/problem+json"}},
			`{"type":"about:blank","title":"a","status":503,"detail":"b","instance":"urn:x","code":"unavailable"}`,
			`"Retry-After": must be there (got nothing)`,
		},
		"a Retry-After in words": {
			503,
			http.Header{"Content-Type": {"application/problem+json"}, "Retry-After": {"soon"}},
			`{"type":"about:blank","title":"a","status":503,"detail":"b","instance":"urn:x","code":"unavailable"}`,
			`"Retry-After": must be of type integer (got "soon")`,
		},
	} {
		front := mocktest.InMemory(t, mockserver.WithLogger(nil), mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: answering(func(*http.Request) *http.Response {
				header := http.Header{"Content-Type": {"application/json"}, "X-Correlation-Id": {"id"}}
				maps.Copy(header, test.header)
				body := io.NopCloser(strings.NewReader(test.body))
				return &http.Response{StatusCode: test.status, Header: header, Body: body}
			}),
		}))
		client := newClient(t, front.URL, mocktest.Transport(front.Server))
		client.docs = nil
		request := client.request("POST", "/v2/nodes/n/heartbeat", briefHeartbeat, "Content-Type", "application/json",
			"X-Correlation-Id", "id")
		answer, err := client.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		expected := test.want
		if expected != "" {
			expected = fmt.Sprintf("heartbeatNode %d at %s", test.status, expected)
		}
		said := ""
		for _, entry := range front.UpstreamDrift().Entries {
			said += entry.Departure.String()
		}
		if said != expected {
			t.Errorf("%s: drifts by %q, want %q", name, said, expected)
		}
	}
}

// TestACorrelationIDThatIsNone has a node send what is no correlation id. An answer with an id of its own is no
// drift of orchestratord, and the journal has that id.
func TestACorrelationIDThatIsNone(t *testing.T) {
	for _, ids := range [][]string{nil, {"two words"}, {"a", "b"}} {
		p := newPair(t, mockserver.Document)
		client := newClient(t, p.front.URL, mocktest.Transport(p.front.Server))
		client.docs = nil
		request := client.request("GET", "/v2/nodes", "")
		request.Header["X-Correlation-Id"] = ids
		answer, err := client.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		expectDrift(t, "orchestratord", p.front.UpstreamDrift(), "")
		if got, want := *lastExchange(p.front).CorrelationID, answer.Header.Get("X-Correlation-Id"); got != want {
			t.Errorf("%q: the journal has %q, and the client got %q", ids, got, want)
		}
	}
}

// TestAnAnswerWhoseCorrelationIDIsNone is in the journal under one that is.
func TestAnAnswerWhoseCorrelationIDIsNone(t *testing.T) {
	front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
		URL: "http://orchestratord.example",
		Transport: answering(func(*http.Request) *http.Response {
			header := http.Header{"X-Correlation-Id": {"two words"}}
			return &http.Response{StatusCode: http.StatusNoContent, Header: header, Body: http.NoBody}
		}),
	}))
	answerTo(t, front, "/v2/nodes")
	if id := *lastExchange(front).CorrelationID; !nodeapi.ValidCorrelationID(id) {
		t.Errorf("the journal has the correlation id %q", id)
	}
}

// TestStatusesThatNoDocumentHas has orchestratord answer with what HTTP leaves room for. The mock shows it as it is.
func TestStatusesThatNoDocumentHas(t *testing.T) {
	for _, status := range []int{600, 999} {
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: answering(func(*http.Request) *http.Response {
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}
			}),
		}))
		callWith(t, front, "GET /v2/nodes", "")
		if got := front.UpstreamDrift().Entries; len(got) != 1 || got[0].Status != status {
			t.Errorf("orchestratord drifts by %v, want the status %d", got, status)
		}
		for _, path := range []string{"/__mock", "/__mock/drift", "/__mock/journal", "/__mock/journal/1"} {
			if got := callWith(t, front, "GET "+path, ""); got != http.StatusOK {
				t.Errorf("after an answer of %d, %s is answered %d", status, path, got)
			}
		}
	}
}

// answering is a transport that answers by itself.
type answering func(*http.Request) *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return a(r), nil
}

// TestRequestsAreHeldToTheDocumentOfTheUpstream sends what the dialect's document has no more to say of.
func TestRequestsAreHeldToTheDocumentOfTheUpstream(t *testing.T) {
	orchestratord := mocktest.InMemory(t)
	front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
		URL: orchestratord.URL, Transport: mocktest.Transport(orchestratord.Server), Document: openapi.InService,
	}))
	(&pair{t: t, front: front}).post("/v2/nodes/register", briefRegistration)
	expectDrift(t, "nodes", front.Drift(), "/capabilities/gpus")
}

// TestFollowsWhatIsLegalInService has a node send what the types of the node API have no room for. The
// front knows the node and its pool all the same.
func TestFollowsWhatIsLegalInService(t *testing.T) {
	t.Parallel()
	registration := strings.NewReplacer(`"cpu_cores":null`, `"gpu_count":null,"cpu_cores":4000000000`,
		`"ram_total_bytes":null`, `"ram_total_bytes":18446744073709551615`).Replace(rustRegistration)
	heartbeat := strings.NewReplacer(`"2026-11-23T15:13:54.862242784+00:00"`, `"an hour ago"`,
		`"slots_free":3`, `"slots_free":4000000000,"models_available":null`).Replace(rustHeartbeat)
	for name, test := range map[string]struct {
		dialect   mockserver.Dialect
		document  []byte
		mediaType string
		drift     string // of the node
	}{
		"dialect":            {mockserver.InService, nil, "application/json", ""},
		"overlay":            {mockserver.Document, openapi.InService, "application/json", ""},
		"another media type": {mockserver.InService, nil, "application/vnd.node+json", "Content-Type Content-Type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService))
			front := mocktest.Start(t, mockserver.WithDialect(test.dialect),
				mockserver.WithUpstream(mockserver.Upstream{URL: orchestratord.URL, Document: test.document}))
			callWith(t, front, "POST /v2/nodes/register", registration, "Content-Type: "+test.mediaType)
			callWith(t, front, "POST /v2/nodes/gpu-node-1/heartbeat", heartbeat, "Content-Type: "+test.mediaType)
			node, _ := front.Node("gpu-node-1")
			if node.Registration.MachineID != "machine-alpha" || len(node.Pools) != 1 || node.Pools[0].SlotsFree < 4 {
				t.Errorf("the front knows %+v, want machine-alpha and a pool with free slots", node)
			}
			expectDrift(t, "nodes", front.Drift(), test.drift)
		})
	}
}

// TestRoutesInServiceInFront has requests that the orchestratord in service routes in its own way: the
// list by HEAD is no drift of anybody, and a path without a parameter names no node.
func TestRoutesInServiceInFront(t *testing.T) {
	t.Parallel()
	orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService))
	front := mocktest.Start(t, mockserver.WithDialect(mockserver.InService),
		mockserver.WithUpstream(mockserver.Upstream{URL: orchestratord.URL}))
	for _, on := range []bool{false, true} {
		setProfile(t, orchestratord, on)
		callWith(t, front, "HEAD /v2/nodes", "")
	}
	if got := drifted(front); len(got) > 0 {
		t.Errorf("HEAD drifts: %v", got)
	}
	lists := front.Journal().Page(journal.Filter{Operation: control.OperationListNodes}, 10).Entries
	if len(lists) != 2 {
		t.Errorf("%d lists are in the journal, want 2", len(lists))
	}
	if status := callWith(t, front, "DELETE /v2/nodes/register", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("answered %d, want 405", status)
	}
	if got := front.Drift().Entries; len(got) != 1 || got[0].Kind != drift.Method || got[0].First.NodeID != "" {
		t.Errorf("DELETE drifts by %v, want its method", got)
	}
	if got := front.UpstreamDrift().Entries; len(got) > 0 {
		t.Errorf("orchestratord drifts: %v", got)
	}
}

// callInAllWays calls an orchestratord with the cloud profile on and off, and counts the statuses
// of its answers.
func callInAllWays(t *testing.T, front, orchestratord *mocktest.Server) map[int]int {
	t.Helper()
	const register, heartbeat = "POST /v2/nodes/register", "POST /v2/nodes/gpu-node-1/heartbeat"
	statuses := map[int]int{}
	for _, on := range []bool{true, false} {
		setProfile(t, orchestratord, on)
		for _, call := range [][4]string{ // method and path, body, type, authorization
			{register, rustRegistration, "application/json", "Bearer s3cret"},
			{register, rustRegistration, "application/json", "Bearer another"},
			{register, `{"node_id":1}`, "application/json", "Bearer s3cret"},
			{register, `{"node_id":`, "application/json", "Bearer s3cret"},
			{register, rustRegistration, "text/plain", "Bearer s3cret"},
			{register, rustRegistration + strings.Repeat(" ", 4000), "application/json", "Bearer s3cret"},
			{heartbeat, rustHeartbeat, "application/json", "Bearer s3cret"},
			{heartbeat, `{}`, "application/json", "Bearer s3cret"},
			{heartbeat, `[`, "application/json", "Bearer s3cret"},
			{heartbeat, rustHeartbeat, "", "Bearer s3cret"},
			{heartbeat, rustHeartbeat, "application/json", ""},
			{"POST /v2/nodes/nobody/heartbeat", rustHeartbeat, "application/json", "Bearer s3cret"},
			{"GET /v2/nodes", "", "", "Bearer s3cret"},
			{"GET /v2/nodes", "", "", ""},
			{"PUT /v2/nodes", "", "", "Bearer s3cret"},
			{"GET /v3/nodes", "", "", "Bearer s3cret"},
			{"DELETE /v2/nodes/nobody", "", "", "Bearer s3cret"},
			{"DELETE /v2/nodes/gpu-node-1", "", "", "Bearer another"},
			{"DELETE /v2/nodes/gpu-node-1", "", "", "Bearer s3cret"},
		} {
			statuses[callWith(t, front, call[0], call[1], "Content-Type: "+call[2], "Authorization: "+call[3])]++
		}
	}
	return statuses
}

// callWith makes a call, such as "GET /v2/nodes", and returns the status of the answer. A body is JSON
// unless a header says otherwise. A header without a value is left out.
func callWith(t *testing.T, server *mocktest.Server, call, body string, headers ...string) int {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Del(name)
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// setProfile switches the cloud profile of an orchestratord.
func setProfile(t *testing.T, orchestratord *mocktest.Server, on bool) {
	t.Helper()
	change := control.SettingsChange{CloudProfile: &on}
	if got := must(orchestratord.Control().ChangeSettingsWithResponse(t.Context(), change)); got.JSON200 == nil {
		t.Fatalf("the profile cannot be switched: %s", got.Body)
	}
}
