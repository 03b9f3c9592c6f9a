package registry_test

import (
	"fmt"
	"time"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func Example() {
	nodes := registry.New(30 * time.Second)
	noon := time.Date(2025, 10, 1, 12, 0, 0, 0, time.UTC)
	nodes.Register(nodeapi.RegisterRequest{NodeID: "gpu-node-1"}, noon)
	nodes.Heartbeat("gpu-node-1", nodeapi.HeartbeatRequest{}, noon.Add(10*time.Second))
	for _, change := range nodes.Expire(noon.Add(time.Minute)) {
		fmt.Println(change.Node.Registration.NodeID, "was", change.Was, "and is", change.Node.Status)
	}
	// Output:
	// gpu-node-1 was Online and is Offline
}
