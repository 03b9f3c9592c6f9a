package mockserver_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/har"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestMany has more of everything than a test usually has, and finds all of it.
func TestMany(t *testing.T) {
	const count, pools, tokens = 1200, 200, 20
	options, token := []mockserver.Option{mockserver.WithLogger(nil), mockserver.WithJournal(2 * count)}, ""
	for i := range tokens {
		token = fmt.Sprintf("token-%d", i)
		options = append(options, mockserver.WithTokens(token))
	}
	server := mocktest.InMemory(t, options...)
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
		request.Header.Set("Authorization", "Bearer "+token)
		answer := must(server.Client().Do(request))
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Fatalf("with the last of %d tokens: answered %d", tokens, answer.StatusCode)
		}
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
