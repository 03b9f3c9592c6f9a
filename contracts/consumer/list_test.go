//go:build pact

package consumer_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/pact-foundation/pact-go/v2/consumer"
	"github.com/pact-foundation/pact-go/v2/matchers"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func list() consumer.Request {
	return request(http.MethodGet, "/v2/nodes", nil)
}

// listed is a list on which the node is, among others perhaps.
func listed() consumer.Response {
	return consumer.Response{Status: http.StatusOK, Body: object{
		"count": matchers.Integer(1),
		"nodes": matchers.ArrayContaining([]any{object{
			"node_id":          nodeID,
			"machine_id":       matchers.Like(machineID),
			"address":          matchers.Like(address),
			"status":           "Online",
			"pools":            matchers.Like([]string{"pool-0"}),
			"capabilities":     matchers.Like(object{}),
			"registered_at_ms": matchers.Integer(1_759_276_800_000),
		}}),
	}}
}

func driveList(t *testing.T, p pact) {
	p.play(t, func(t *testing.T, url string) {
		answer := listNodes(t, url, token)
		if answer.JSON200 == nil {
			t.Fatalf("the list cannot be read: %s", answer.Status())
		}
		found := slices.ContainsFunc(answer.JSON200.Nodes, func(n nodeapi.Node) bool {
			return n.NodeID == nodeID && n.Status == nodeapi.NodeStatusOnline
		})
		if !found {
			t.Errorf("the node is not on the list: %v", answer.JSON200.Nodes)
		}
	}, exchange{"a list of the nodes", online(), list(), listed()})

	for _, refused := range refusals() {
		p.play(t, func(t *testing.T, url string) {
			if answer := listNodes(t, url, refused.token); answer.StatusCode() != refused.response.Status {
				t.Errorf("the answer is %s", answer.Status())
			}
		}, refused.of("a list", list()))
	}
}

func listNodes(t *testing.T, url, token string) *nodeapi.ListNodesResponse {
	t.Helper()
	client, err := nodeapi.NewClientWithResponses(url, nodeapi.WithRequestEditorFn(
		func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.ListNodesWithResponse(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
