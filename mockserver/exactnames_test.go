package mockserver_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// withFields returns a body with more fields in front of the others.
func withFields(fields, body string) string { return strings.Replace(body, "{", "{"+fields+",", 1) }

// TestOtherNamesInFront sends fields in other letters than the document's. Neither orchestratord nor
// the mock in front of it takes them for its fields.
func TestOtherNamesInFront(t *testing.T) {
	p := newPair(t, mockserver.Document)
	p.post("/v2/nodes/register", withFields(`"Version":"7"`, briefRegistration))
	p.post("/v2/nodes/gpu-node-1/heartbeat",
		strings.Replace(briefHeartbeat, `"ready"`, `"Draining": true, "ready"`, 1))
	front, _ := p.front.Node("gpu-node-1")
	orchestratord, _ := p.orchestratord.Node("gpu-node-1")
	for name, node := range map[string]struct{ front, orchestratord any }{
		"status":       {front.Status, orchestratord.Status},
		"registration": {front.Registration, orchestratord.Registration},
		"pools":        {front.Pools, orchestratord.Pools},
	} {
		if diff := cmp.Diff(node.orchestratord, node.front); diff != "" {
			t.Errorf("%s (-orchestratord +front):\n%s", name, diff)
		}
	}
	if front.Status != nodeapi.NodeStatusOnline {
		t.Errorf("the node is %q", front.Status)
	}
}

// TestOtherNamesInAFault has a fault for another node than the one that registers.
func TestOtherNamesInAFault(t *testing.T) {
	client, server := start(t, fault(t, "{match: {node: other}, effect: {status: 500}}"))
	client.register(withFields(`"Node_ID":"other"`, briefRegistration)).expect(t, http.StatusOK)
	client.register(strings.Replace(briefRegistration, `"gpu-node-1"`, `"gpu-node-1","NODE_ID":"other"`, 1)).
		expect(t, http.StatusOK)
	if state := stateOf(t, server, "it"); state.Applied != 0 {
		t.Errorf("the fault acted %d times", state.Applied)
	}
	want := slices.Repeat([]string{"registerNode gpu-node-1 200 (1 departure)"}, 2)
	if got := summaries(server, journal.Filter{Kind: control.EntryKindExchange}); !slices.Equal(got, want) {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

// TestOtherNamesOfCapabilities registers without a capability, but for a field in other letters that
// has the value which the mock puts in its place.
func TestOtherNamesOfCapabilities(t *testing.T) {
	client, server := start(t, mockserver.WithValidation(mockserver.Report))
	client.register(strings.Replace(briefRegistration, `"gpu_count": 2`, `"GPU_count": 0`, 1)).expect(t, http.StatusOK)
	if node, _ := server.Node("gpu-node-1"); node.Stated == nil || node.Stated.GPUCount != nil {
		t.Errorf("stated are %+v", node.Stated)
	}
}
