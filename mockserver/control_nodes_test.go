package mockserver_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// fixture returns nodes n00, n01 and so on, each silent for so many seconds.
func fixture(silent ...int64) control.Fixture {
	var nodes control.Fixture
	for i, seconds := range silent {
		nodes.Nodes = append(nodes.Nodes, control.FixtureNode{
			Registration: nodeapi.RegisterRequest{
				NodeID: fmt.Sprintf("n%02d", i), MachineID: "m", Address: "http://h", Pools: []string{"p"},
				Capabilities: nodeapi.NodeCapabilities{CUDAVersion: "12.1"},
			},
			Status:      new(nodeapi.NodeStatusOnline),
			Pools:       &[]nodeapi.PoolStatus{{PoolID: "p", Ready: true}},
			SilentForMs: new(seconds * 1000),
		})
	}
	return nodes
}

func TestFixture(t *testing.T) {
	mock, _, server := startControlled(t)
	loaded := must(mock.LoadNodesWithResponse(t.Context(), fixture(0, 29, 31)))
	if loaded.StatusCode() != http.StatusNoContent {
		t.Fatalf("%s", loaded.Body)
	}
	statuses := func() string {
		var all []string
		for _, node := range server.Nodes() {
			all = append(all, string(node.Status))
		}
		return strings.Join(all, " ")
	}
	if got := statuses(); got != "Online Online Offline" {
		t.Errorf("loaded nodes are %s", got)
	}
	advance(t, mock, time.Second)
	if got := statuses(); got != "Online Offline Offline" {
		t.Errorf("after a second they are %s", got)
	}
	causesFirst := []string{
		"3 nodes loaded", "n02 Online → Offline", "clock put forward by 1s", "n01 Online → Offline",
	}
	if diff := cmp.Diff(causesFirst, summaries(server, journal.Filter{})); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	advance(t, mock, 29*time.Second)
	if got := statuses(); got != "Offline Offline Offline" {
		t.Errorf("after 30 s they are %s", got)
	}

	twins := fixture(0, 0, 0)
	twins.Nodes[2].Registration.NodeID = "n00"
	refused := must(mock.LoadNodesWithResponse(t.Context(), twins))
	if p := refused.Problem; p == nil || (*p.Errors)[0].Pointer != "/nodes/2/registration/node_id" {
		t.Errorf("two nodes of the same id: %s", refused.Body)
	}
	many := fixture(make([]int64, 150)...)
	for i := range many.Nodes {
		many.Nodes[i].Registration.NodeID = "n00"
	}
	refused = must(mock.LoadNodesWithResponse(t.Context(), many))
	if p := refused.Problem; p == nil || len(*p.Errors) != 100 {
		t.Errorf("a hundred and more nodes of the same id: %s", refused.Body)
	}
	wrong := fixture(0, 0)
	wrong.Nodes[1].Registration.MachineID = ""
	refused = must(mock.LoadNodesWithResponse(t.Context(), wrong))
	if p := refused.Problem; p == nil || (*p.Errors)[0].Pointer != "/nodes/1/registration/machine_id" {
		t.Errorf("a node without a machine: %s", refused.Body)
	}
	if got := statuses(); got != "Offline Offline Offline" {
		t.Errorf("after what was refused they are %s", got)
	}
}

// TestFixtureOfANewNode loads a node that registered a while ago, and has not sent a heartbeat.
func TestFixtureOfANewNode(t *testing.T) {
	mock, _, _ := startControlled(t)
	fresh := fixture(7)
	fresh.Nodes[0].Status = nil
	must(mock.LoadNodesWithResponse(t.Context(), fresh))
	node := must(mock.ReadNodeWithResponse(t.Context(), "n00")).JSON200.Node
	if node.Status != nodeapi.NodeStatusRegistering || node.RegisteredAtMs != startMs-7000 ||
		node.LastHeartbeatMs != nil {
		t.Errorf("it is loaded as %+v", node)
	}
}

func TestNodePages(t *testing.T) {
	mock, _, _ := startControlled(t)
	must(mock.LoadNodesWithResponse(t.Context(), fixture(0, 31, 0, 31, 0, 0)))
	for _, test := range []struct {
		params control.ReadNodesParams
		want   string // the pages' ids
	}{
		{control.ReadNodesParams{}, "n00 n01 n02 n03 n04 n05"},
		{control.ReadNodesParams{Limit: new(int32(4))}, "n00 n01 n02 n03 | n04 n05"},
		{control.ReadNodesParams{Limit: new(int32(2))}, "n00 n01 | n02 n03 | n04 n05"},
		{control.ReadNodesParams{Status: new(nodeapi.NodeStatusOnline), Limit: new(int32(2))}, "n00 n02 | n04 n05"},
		// There are more nodes, and none of them fits.
		{control.ReadNodesParams{Status: new(nodeapi.NodeStatusOffline), Limit: new(int32(1))}, "n01 | n03 | "},
		{control.ReadNodesParams{Node: new("n0[13]"), Limit: new(int32(10))}, "n01 n03"},
		{control.ReadNodesParams{After: new("n03")}, "n04 n05"},
		{control.ReadNodesParams{After: new("n03x")}, "n04 n05"},
		{control.ReadNodesParams{After: new("z")}, ""},
	} {
		var pages []string
		for next := test.params.After; ; {
			params := test.params
			params.After = next
			answer := must(mock.ReadNodesWithResponse(t.Context(), &params))
			if answer.JSON200 == nil {
				t.Fatalf("%s", answer.Body)
			}
			var ids []string
			for _, node := range answer.JSON200.Nodes {
				ids = append(ids, node.Node.NodeID)
			}
			pages = append(pages, strings.Join(ids, " "))
			if next = answer.JSON200.Next; next == nil {
				break
			}
		}
		if got := strings.Join(pages, " | "); got != test.want {
			t.Errorf("%+v: %s, want %s", test.params, got, test.want)
		}
	}
}

func TestOneNode(t *testing.T) {
	mock, node, _ := startControlled(t)
	node.register(briefRegistration).expect(t, http.StatusOK)
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	read := must(mock.ReadNodeWithResponse(t.Context(), "gpu-node-1"))
	got := read.JSON200
	if got == nil || got.ExpiresAtMs == nil || *got.ExpiresAtMs != startMs+30_000 || len(got.Pools) != 1 {
		t.Fatalf("%s", read.Body)
	}
	want := []control.Transition{
		{AtMs: startMs, To: new(nodeapi.NodeStatusRegistering)},
		{AtMs: startMs, From: new(nodeapi.NodeStatusRegistering), To: new(nodeapi.NodeStatusOnline)},
	}
	if diff := cmp.Diff(want, got.History); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}

	set := must(mock.SetNodeStatusWithResponse(t.Context(), "gpu-node-1",
		control.StatusChange{Status: nodeapi.NodeStatusOffline}))
	if got := set.JSON200; got == nil || got.Node.Status != nodeapi.NodeStatusOffline || got.ExpiresAtMs != nil {
		t.Errorf("%s", set.Body)
	}
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	set = must(mock.SetNodeStatusWithResponse(t.Context(), "gpu-node-1",
		control.StatusChange{Status: nodeapi.NodeStatusFailed}))
	if got := set.JSON200; got == nil || got.Node.Status != nodeapi.NodeStatusFailed {
		t.Errorf("%s", set.Body)
	}

	advance(t, mock, 10*time.Second)
	set = must(mock.SetNodeStatusWithResponse(t.Context(), "gpu-node-1",
		control.StatusChange{Status: nodeapi.NodeStatusOnline}))
	if got := set.JSON200; *got.ExpiresAtMs != startMs+40_000 || *got.Node.LastHeartbeatMs != startMs {
		t.Errorf("set Online, which is no heartbeat: %s", set.Body)
	}

	must(mock.ForgetNodeWithResponse(t.Context(), "gpu-node-1"))
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusNotFound)
}
