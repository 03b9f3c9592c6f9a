package mockserver_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/har"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestMany_heavy has more of everything than a test usually has, and finds all of it.
func TestMany_heavy(t *testing.T) {
	race.Skip(t)
	const count, pools = 1200, 200
	server := mocktest.InMemory(t, mockserver.WithLogger(nil), mockserver.WithJournal(2*count))
	api := server.Control()
	fixture := control.Fixture{}
	for _, node := range fleet(t, count) {
		fixture.Nodes = append(fixture.Nodes, control.FixtureNode{Registration: node.Registration})
	}
	large := &fixture.Nodes[0]
	large.Status, large.Pools = new(nodeapi.NodeStatusOnline), new([]nodeapi.PoolStatus{})
	large.Registration.Pools = nil
	for i := range pools {
		id := fmt.Sprintf("pool-%d", i)
		large.Registration.Pools = append(large.Registration.Pools, id)
		*large.Pools = append(*large.Pools, nodeapi.PoolStatus{PoolID: id})
	}
	if loaded := must(api.LoadNodesWithResponse(t.Context(), fixture)); loaded.StatusCode() != http.StatusNoContent {
		t.Fatalf("the nodes were answered %d %s", loaded.StatusCode(), loaded.Body)
	}
	for i := range count {
		unknown := []byte{'a' + byte(i/26/26), 'a' + byte(i/26%26), 'a' + byte(i%26)} // digits would count as the same
		request := must(http.NewRequest(http.MethodDelete, fmt.Sprintf("%s/v2/nodes/x?%s", server.URL, unknown), nil))
		must(server.Client().Do(request)).Body.Close()
	}
	node := must(api.ReadNodeWithResponse(t.Context(), large.Registration.NodeID)).JSON200
	view := must(api.GetOverviewWithResponse(t.Context())).JSON200
	entries := must(har.Read(bytes.NewReader(answerTo(t, server, "/__mock/journal.har")))).Log.Entries
	listed := must(api.ReadNodesWithResponse(t.Context(), &control.ReadNodesParams{Limit: new(int32(500))})).JSON200
	kept := must(api.ReadJournalWithResponse(t.Context(), &control.ReadJournalParams{Limit: new(int32(500))})).JSON200
	drifted := must(api.ReadDriftWithResponse(t.Context())).JSON200
	for what, numbers := range map[string][2]int{
		"nodes":                   {int(view.Nodes.Total), count},
		"nodes of a page":         {len(listed.Nodes), 500},
		"pools of a node":         {len(node.Node.Pools), pools},
		"their status":            {len(node.Pools), pools},
		"entries of the journal":  {len(kept.Entries), 500},
		"requests of the archive": {len(entries), count},
		"departures":              {len(drifted.Departures), drift.Limit},
		"counted departures":      {int(view.Drift), drift.Limit},
	} {
		if numbers[0] != numbers[1] {
			t.Errorf("%s: there are %d, want %d", what, numbers[0], numbers[1])
		}
	}
}

// TestManyTokens takes each of them, those of the start and those of a change.
func TestManyTokens(t *testing.T) {
	var tokens [2][]string
	for i := range 40 {
		tokens[i%2] = append(tokens[i%2], fmt.Sprintf("token-%d", i))
	}
	server := mocktest.InMemory(t, mockserver.WithTokens(tokens[0]...))
	for _, valid := range tokens {
		for _, token := range valid {
			request := must(http.NewRequest(http.MethodGet, server.URL+"/v2/nodes", nil))
			request.Header.Set("Authorization", "Bearer "+token)
			answer := must(server.Client().Do(request))
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s: answered %d", token, answer.StatusCode)
			}
		}
		must(server.Control().ChangeSettingsWithResponse(t.Context(), control.SettingsChange{Tokens: &tokens[1]}))
	}
}
