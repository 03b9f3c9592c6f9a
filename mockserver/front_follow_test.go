package mockserver_test

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func TestNodesFollowTheTraffic(t *testing.T) {
	orchestratord := mocktest.Start(t)
	front := inFront(t, orchestratord.URL)
	post := func(path, body string) int {
		response, err := http.Post(front.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
	if status := post("/v2/nodes/register", briefRegistration); status != 200 {
		t.Fatalf("registration answered %d", status)
	}
	if status := post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat); status != 200 {
		t.Fatalf("heartbeat answered %d", status)
	}
	for who, server := range map[string]*mocktest.Server{"orchestratord": orchestratord, "front": front} {
		node, known := server.Node("gpu-node-1")
		if !known || node.Status != nodeapi.NodeStatusOnline || len(node.Pools) != 1 {
			t.Errorf("%s knows the node: %t, %+v", who, known, node)
		}
	}
	if got := front.UpstreamDrift().Entries; len(got) > 0 {
		t.Errorf("orchestratord drifts: %v", got)
	}
	if got := front.Drift().Entries; len(got) > 0 {
		t.Errorf("nodes drift: %v", got)
	}
	want := []string{"registerNode gpu-node-1 200", "heartbeatNode gpu-node-1 200"}
	if got := summaries(front, journal.Filter{Kind: control.EntryKindExchange}); !slices.Equal(got, want) {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	answerTo(t, front, "/v2/nodes")
	got := string(answerTo(t, front, "/metrics"))
	for _, counted := range []string{
		`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="success"} 1`,
		`orchd_node_request_duration_seconds_count{operation="listNodes",outcome="success"} 1`,
	} {
		if !strings.Contains(got, counted) {
			t.Errorf("the metrics lack %s:\n%s", counted, got)
		}
	}
}

// TestWhoForgetsANode has calls of a node refused, by orchestratord and by what is in between.
func TestWhoForgetsANode(t *testing.T) {
	beat := [2]string{"POST /v2/nodes/gpu-node-1/heartbeat", briefHeartbeat}
	for name, test := range map[string]struct {
		effect control.FaultEffect
		known  bool
	}{
		"orchestratord": {control.FaultEffect{Status: new(int32(404))}, false},
		"a router":      {control.FaultEffect{Status: new(int32(404)), Text: new("404 page not found")}, true},
		"nobody by 401": {control.FaultEffect{Status: new(int32(401))}, true},
		"nobody by 422": {control.FaultEffect{Status: new(int32(422))}, true},
	} {
		for _, under := range []struct {
			validation mockserver.Validation
			call       [2]string
		}{
			{mockserver.Report, beat},
			{mockserver.Off, beat},
			{mockserver.Report, [2]string{"DELETE /v2/nodes/gpu-node-1"}},
		} {
			p := newPair(t, mockserver.Document, mockserver.WithValidation(under.validation))
			p.post("/v2/nodes/register", briefRegistration)
			p.orchestratord.Inject(t, "it", control.FaultDefinition{Rules: control.FaultRules{{Effect: test.effect}}})
			status, want := callWith(t, p.front, under.call[0], under.call[1]), int(*test.effect.Status)
			if status != want {
				t.Fatalf("%s: %s answered %d, want %d", name, under.call[0], status, want)
			}
			if _, known := p.front.Node("gpu-node-1"); known != test.known {
				t.Errorf("with validation %s, %s refused by %s, the node is known: %t", under.validation, under.call[0],
					name, known)
			}
			if drift := p.front.UpstreamDrift().Entries; under.validation == mockserver.Off && len(drift) > 0 {
				t.Errorf("with validation off, orchestratord drifts: %v", drift)
			}
		}
	}
}

// TestWhomAnAnswerRegisters has a registration answered in many ways. The front knows the node after any
// success that is no rejection.
func TestWhomAnAnswerRegisters(t *testing.T) {
	for answer, want := range map[struct {
		status int
		body   string
	}]bool{
		{200, `{"success":true,"message":"welcome","node_id":"gpu-node-1"}`}: true,
		{200, `{"success":false,"message":"full","node_id":"gpu-node-1"}`}:   false,
		{200, `{"Success":false,"message":"full","node_id":"gpu-node-1"}`}:   true,
		{200, "{}"}: true, {200, "welcome"}: true, {200, ""}: true, {307, ""}: false,
	} {
		front := mocktest.InMemory(t, mockserver.WithLogger(nil), mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			})),
		}))
		(&pair{t: t, front: front}).post("/v2/nodes/register", briefRegistration)
		if _, known := front.Node("gpu-node-1"); known != want {
			t.Errorf("after %d %s, the node is known: %t", answer.status, answer.body, known)
		}
		outcome := map[bool]string{true: "success", false: "error"}[answer.status == 200]
		counted := `orchd_node_registrations_total{outcome="` + outcome + `"} 1`
		if got := string(answerTo(t, front, "/metrics")); !strings.Contains(got, counted) {
			t.Errorf("after %d %s, the metrics lack %s", answer.status, answer.body, counted)
		}
	}
}

// TestTheLogOfANodeInFront reads what becomes of a node, as of one that the mock answers itself.
func TestTheLogOfANodeInFront(t *testing.T) {
	log := newLog()
	p := newPair(t, mockserver.Document, mockserver.WithLogger(log.logger))
	p.post("/v2/nodes/register", briefRegistration)
	p.post("/v2/nodes/register", briefRegistration)
	p.post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
	node := must(p.front.Control().ReadNodeWithResponse(t.Context(), "gpu-node-1")).JSON200
	if node.ExpiresAtMs == nil {
		t.Errorf("nothing says when it will be offline: %+v", node)
	}
	callWith(t, p.front, "DELETE /v2/nodes/gpu-node-1", "")
	var got []string
	for _, entry := range log.entries("") {
		if entry.level == slog.LevelInfo && strings.HasPrefix(entry.message, "node ") {
			got = append(got, entry.message)
		}
	}
	want := []string{"node registered", "node registered again", "node online", "node deregistered"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestWhatARegistrationInFrontLacks is not made up.
func TestWhatARegistrationInFrontLacks(t *testing.T) {
	p := recording(t)
	p.post("/v2/nodes/register", strings.Replace(briefRegistration, `"gpu_count"`, `"gpus_count"`, 1))
	node := must(p.front.Control().ReadNodeWithResponse(t.Context(), "gpu-node-1")).JSON200.Node
	if node.Capabilities.GPUCount != nil || node.Capabilities.TotalVRAMMB == nil {
		t.Errorf("it has the capabilities %+v", node.Capabilities)
	}
}

// TestTwinsInFront has another machine register under the id of a node that beats.
func TestTwinsInFront(t *testing.T) {
	log := newLog()
	p := newPair(t, mockserver.Document, mockserver.WithLogger(log.logger))
	p.post("/v2/nodes/register", briefRegistration)
	p.post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
	p.post("/v2/nodes/register", strings.Replace(briefRegistration, "machine-alpha", "machine-beta", 1))
	warned := log.entries("another machine or address registers under the id of a live node")
	if summary := lastExchange(p.front).Summary; len(warned) != 1 ||
		!strings.Contains(summary, "a live node had this id: machine machine-alpha") {
		t.Errorf("logged %v, and the journal says %q", warned, summary)
	}
}

// TestWhoIsKnownByItsHeartbeat has a node register before the front is there. What it registered with
// is not made up, and when it registers again it is no other node.
func TestWhoIsKnownByItsHeartbeat(t *testing.T) {
	p := newPair(t, mockserver.Document)
	(&pair{t: t, front: p.orchestratord}).post("/v2/nodes/register", briefRegistration)
	p.post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
	answer := must(p.front.Control().ReadNodeWithResponse(t.Context(), "gpu-node-1"))
	if answer.JSON200 == nil || answer.JSON200.Node.Status != nodeapi.NodeStatusOnline {
		t.Fatalf("the front says %s", answer.Body)
	}
	if diff := cmp.Diff(nodeapi.ReportedCapabilities{}, answer.JSON200.Node.Capabilities); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
	p.post("/v2/nodes/register", briefRegistration)
	want := []string{"heartbeatNode gpu-node-1 200", "registerNode gpu-node-1 200"}
	if got := summaries(p.front, journal.Filter{Kind: control.EntryKindExchange}); !slices.Equal(got, want) {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}
