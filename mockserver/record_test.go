package mockserver_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

const beatPath = "/v2/nodes/gpu-node-1/heartbeat"

// summaries returns the summaries of the entries, line by line.
func summaries(server *mocktest.Server, f journal.Filter) []string {
	var lines []string
	for _, entry := range server.Journal().Page(f, 1000).Entries {
		lines = append(lines, entry.Summary)
	}
	return lines
}

// TestRecord makes one request of each sort, and reads their summaries in the journal.
func TestRecord(t *testing.T) {
	c, server := start(t, mockserver.WithTokens("secret"))
	for _, request := range []struct {
		method, path, body, token string
		lines                     []string
	}{
		{
			"POST", "/v2/nodes/register", briefRegistration, "secret",
			[]string{"gpu-node-1 → Registering", "registerNode gpu-node-1 200"},
		},
		{"POST", "/v2/nodes/register", briefRegistration, "secret", []string{"registerNode gpu-node-1 200"}},
		{
			"POST", beatPath, briefHeartbeat, "secret",
			[]string{"gpu-node-1 Registering → Online", "heartbeatNode gpu-node-1 200"},
		},
		{"POST", beatPath, briefHeartbeat, "secret", []string{"heartbeatNode gpu-node-1 200"}},
		{"POST", beatPath, briefHeartbeat, "wrong", []string{"heartbeatNode gpu-node-1 401 unauthorized"}},
		{
			"POST", beatPath, `{"pools":[]}`, "secret",
			[]string{"heartbeatNode gpu-node-1 422 contract_violation at /timestamp"},
		},
		{"POST", beatPath, `{`, "secret", []string{"heartbeatNode gpu-node-1 400 malformed_body"}},
		{
			"POST", "/v2/nodes/gpu-node-2/heartbeat", briefHeartbeat, "secret",
			[]string{"heartbeatNode gpu-node-2 404 unknown_node"},
		},
		{"POST", "/v2/nodes/-/heartbeat", briefHeartbeat, "secret", []string{"heartbeatNode 404 unknown_node"}},
		{"GET", "/v2/nodes", "", "secret", []string{"listNodes 200"}},
		{"GET", "/v2/nodez", "", "secret", []string{"GET /v2/nodez 404 not_found"}},
		{"PUT", "/v2/nodes", "", "secret", []string{"PUT /v2/nodes 405 method_not_allowed"}},
		{"GET", "/v2/a%2Fb%20c?d=e", "", "secret", []string{"GET /v2/a%2Fb%20c 404 not_found"}},
		{
			"DELETE", "/v2/nodes/gpu-node-1", "", "secret",
			[]string{"gpu-node-1 Online → gone", "deregisterNode gpu-node-1 204"},
		},
	} {
		last := server.Journal().Counts().Last
		headers := []string{"Authorization", "Bearer " + request.token}
		if request.body != "" {
			headers = append(headers, "Content-Type", "application/json")
		}
		c.do(request.method, request.path, request.body, headers...)
		if diff := cmp.Diff(request.lines, summaries(server, journal.Filter{After: &last})); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", request.method, request.path, diff)
		}
	}
}

// TestPagesAreNotRecorded makes requests that no node makes.
func TestPagesAreNotRecorded(t *testing.T) {
	c, server := start(t)
	c.docs = nil
	for _, path := range []string{
		"/healthz", "/metrics", "/docs", "/openapi.json", "/__mock", "/__mock/journal",
		"/__mock/journal/1000", "/__mock/nothing",
	} {
		c.do("GET", path, "")
	}
	if lines := summaries(server, journal.Filter{}); lines != nil {
		t.Errorf("the journal says %q", lines)
	}
}

// TestRecordedExchange looks at a whole entry as the control API returns it.
func TestRecordedExchange(t *testing.T) {
	c, server := start(t, mockserver.WithValidation(mockserver.Report))
	departing := `{"node_id":"gpu-node-1","pools":[],"gpus":0}`
	answered := c.do("POST", "/v2/nodes/register", departing, "Content-Type", "application/json", "X-Correlation-Id",
		"correlation-1")
	read, err := server.Control().ReadEntryWithResponse(t.Context(), 2)
	if err != nil || read.JSON200 == nil {
		t.Fatalf("%v, %s", err, read.Body)
	}
	entry := *read.JSON200
	if *entry.NodeID != "gpu-node-1" || *entry.Operation != control.OperationRegisterNode ||
		*entry.CorrelationID != "correlation-1" {
		t.Errorf("entry %+v", entry)
	}
	if entry.Request.Method != "POST" || entry.Request.Path != "/v2/nodes/register" ||
		(*entry.Request.Header)["Content-Type"] != "application/json" || entry.Request.Body.Text != departing {
		t.Errorf("request %+v", entry.Request)
	}
	if *entry.Answer.Status != 200 || entry.Answer.Body.Text != string(answered.text) ||
		(*entry.Answer.Header)["X-Correlation-Id"] != "correlation-1" {
		t.Errorf("answer %+v", entry.Answer)
	}
	var departures []string
	for _, departure := range *entry.Departures {
		departures = append(departures, departure.Pointer+" "+departure.Kind)
	}
	slices.Sort(departures)
	want := []string{"/address required", "/capabilities required", "/gpus unknown", "/machine_id required"}
	if diff := cmp.Diff(want, departures); diff != "" {
		t.Errorf("departures (-want +got):\n%s", diff)
	}
	if want := "registerNode gpu-node-1 200 (4 departures)"; entry.Summary != want {
		t.Errorf("summary %q, want %q", entry.Summary, want)
	}
}

// TestRecordedFaults has connections break, at which nothing is answered.
func TestRecordedFaults(t *testing.T) {
	for _, test := range []struct {
		rule string
		want []string
	}{
		{"effect: {connection: reset_before}", []string{"registerNode gpu-node-1 no answer (fault it)"}},
		{
			"effect: {connection: reset_after}",
			[]string{"gpu-node-1 → Registering", "registerNode gpu-node-1 no answer (fault it)"},
		},
		{"effect: {connection: hang}", []string{"registerNode gpu-node-1 no answer (fault it)"}},
		{"effect: {status: 503}", []string{"registerNode gpu-node-1 503 unavailable (fault it)"}},
		{"effect: {body: garbage}", []string{"gpu-node-1 → Registering", "registerNode gpu-node-1 200 (fault it)"}},
		{
			"effect: {restart: true}",
			[]string{
				"all nodes forgotten, by fault it", "gpu-node-1 → Registering",
				"registerNode gpu-node-1 200 (fault it)",
			},
		},
	} {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := mocktest.InMemory(t, fault(t, test.rule))
				client := server.Client()
				client.Timeout = time.Second
				response, err := client.Post(server.URL+"/v2/nodes/register", "application/json",
					strings.NewReader(briefRegistration))
				if err == nil {
					response.Body.Close()
				}
				synctest.Wait()
				if diff := cmp.Diff(test.want, summaries(server, journal.Filter{})); diff != "" {
					t.Errorf("the entry differs (-want +got):\n%s", diff)
				}
				last := server.Journal().Counts().Last
				if entry, _ := server.Journal().Entry(last); entry.Request.Body == nil ||
					entry.Request.Body.Text != briefRegistration {
					t.Errorf("the request's body is recorded as %+v", entry.Request.Body)
				}
			})
		})
	}
}

// TestRecordedSilence has a node fall silent.
func TestRecordedSilence(t *testing.T) {
	c, server := start(t)
	c.do("POST", "/v2/nodes/register", briefRegistration, "Content-Type", "application/json")
	if err := server.Clock().Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	server.ExpectStatus(t, "gpu-node-1", "Offline")
	want := []string{"gpu-node-1 → Registering", "gpu-node-1 Registering → Offline"}
	if diff := cmp.Diff(want, summaries(server, journal.Filter{Kind: control.EntryKindChange})); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// TestTokenIsNotRecorded sends a token wherever a mistaken client might, and looks for it
// in everything that the journal returns (CLOUD-4013).
func TestTokenIsNotRecorded(t *testing.T) {
	const token = `hunter2-"is"-<my>-100%-token\`
	quoted, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	escaped := strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E", "%", "%25", `\`, "%5C").Replace(token)
	for _, mode := range []mockserver.Validation{mockserver.Strict, mockserver.Report} {
		c, _ := start(t, mockserver.WithValidation(mode), mockserver.WithLogger(nil))
		authorization := []string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}
		c.do("POST", "/v2/nodes/register", fmt.Sprintf(`{"node_id":%s,"pools":[%[1]s],%[1]s:1}`, quoted),
			authorization...)
		c.register(withFields(`"api_token":"swordfish"`, briefRegistration)).expect(t, 200)
		c.do("POST", "/v2/nodes/"+escaped+"/heartbeat", string(quoted), authorization...)
		c.do("GET", "/"+escaped+"?token="+escaped, "", authorization...)
		c.do("GET", "/"+strings.Repeat("x", 110)+escaped, "", append(authorization, "X-Other", "is "+token)...)
		c.do("GET", "/v2/nodes", "", append(authorization, "X-Correlation-Id", "hunter2")...)
		for _, path := range []string{"/__mock/journal", "/__mock/journal?detail=brief"} {
			shown := string(c.do("GET", path, "").text)
			inJSON := strings.Trim(string(quoted), `"`)
			for _, spelled := range []string{token, escaped, inJSON, token[:16], "swordfish"} {
				if strings.Contains(shown, spelled) {
					t.Errorf("with validation %s, %s shows %s:\n%s", mode, path, spelled, shown)
				}
			}
		}
	}
}

// TestAnswerIsRecordedFirst asks for an entry as soon as its answer is there, which in
// memory it is before the handler has returned.
func TestAnswerIsRecordedFirst(t *testing.T) {
	server := mocktest.InMemory(t, mockserver.WithLogger(nil))
	c := newClient(t, server.URL, mocktest.Transport(server.Server))
	for i := range 500 {
		c.do("GET", "/v2/nodes", "")
		if last := server.Journal().Counts().Last; last != int64(i+1) {
			t.Fatalf("after %d answers there are %d entries", i+1, last)
		}
	}
}

func TestJournalSize(t *testing.T) {
	c, server := start(t, mockserver.WithJournal(2))
	for range 3 {
		c.do("GET", "/v2/nodes", "")
	}
	if got := server.Journal().Counts(); got != (control.JournalCounts{Last: 3, Kept: 2, Dropped: 1}) {
		t.Errorf("counts %+v", got)
	}
	for _, size := range []int{-1, 100_001} {
		if _, err := mockserver.New(mockserver.WithJournal(size)); err == nil ||
			!strings.Contains(err.Error(), "must be 0 to 100000") {
			t.Errorf("%d entries: %v", size, err)
		}
	}
}
