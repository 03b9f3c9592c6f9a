package mockserver_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestNodesExpireWhenTheMockSaysSo has a node of each status fall silent, in each dialect, or once it has
// switched to that. It is Offline at the moment which the control API states, and stays as it is if that
// states none.
func TestNodesExpireWhenTheMockSaysSo(t *testing.T) {
	t.Parallel()
	for _, dialects := range [][2]mockserver.Dialect{
		{mockserver.Document, mockserver.Document},
		{mockserver.Document, mockserver.InService},
		{mockserver.InService, mockserver.Document},
		{mockserver.InService, mockserver.InService},
	} {
		for _, status := range []nodeapi.NodeStatus{
			nodeapi.NodeStatusRegistering, nodeapi.NodeStatusOnline, nodeapi.NodeStatusDraining,
			nodeapi.NodeStatusOffline, nodeapi.NodeStatusFailed,
		} {
			t.Run(fmt.Sprintf("%v %s", dialects, status), func(t *testing.T) {
				t.Parallel()
				mock, node, server := startControlled(t, mockserver.WithDialect(dialects[0]))
				shown := func() control.MockNode {
					return *must(mock.ReadNodeWithResponse(t.Context(), "gpu-node-1")).JSON200
				}
				server.Clock().Advance(time.Second) // to between two checks
				node.do("PUT", "/__mock/nodes", fmt.Sprintf(`{"nodes":[{"registration":%s,"status":%q}]}`,
					briefRegistration, status), "Content-Type", "application/json").expect(t, http.StatusNoContent)
				node.do("PATCH", "/__mock/settings", fmt.Sprintf(`{"dialect":%q}`, dialects[1]),
					"Content-Type", "application/json").expect(t, http.StatusOK)
				expires := shown().ExpiresAtMs
				if expires == nil {
					server.Clock().Advance(time.Hour)
				} else {
					server.Clock().Advance(time.UnixMilli(*expires - 1).Sub(server.Clock().Now()))
				}
				if got := shown().Node.Status; got != status {
					t.Fatalf("the node is %s before it expires", got)
				}
				server.Clock().Advance(time.Millisecond)
				if expires != nil && shown().Node.Status != nodeapi.NodeStatusOffline {
					t.Errorf("the node is %s when it expires", shown().Node.Status)
				}
			})
		}
	}
}
