package mockserver_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// inFront starts a server that stands in front of an orchestratord.
func inFront(t testing.TB, url string, options ...mockserver.Option) *mocktest.Server {
	t.Helper()
	return mocktest.Start(t, append(options, mockserver.WithUpstream(mockserver.Upstream{URL: url}))...)
}

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
	page := front.Journal().Page(journal.Filter{}, 10)
	for _, e := range page.Entries {
		t.Log(e.Summary)
	}
}
