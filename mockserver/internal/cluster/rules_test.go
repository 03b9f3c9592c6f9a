package cluster_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestNobodyExpiresAmidAChangeOfRules looks for silent nodes all the while. One that is silent for 20 s is Offline
// by neither rules, but would be by the timeout of the one and the policy of the other.
func TestNobodyExpiresAmidAChangeOfRules(t *testing.T) {
	still := clock.PausedAt(time.UnixMilli(1_700_000_000_000).Truncate(time.Hour))
	nodes := cluster.New(cluster.Config{
		Clock: still, Journal: journal.New(0), Log: slog.New(slog.DiscardHandler),
		NodeTimeout: time.Minute, Policy: registry.Document{}, MaxNodes: 2,
	})
	defer nodes.Close()
	for _, id := range []nodeapi.NodeID{"silent", "other"} {
		nodes.Register(nodeapi.RegisterRequest{NodeID: id}, nil)
	}
	nodes.Heartbeat("silent", nodeapi.HeartbeatRequest{})
	if err := still.Advance(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	changed := make(chan struct{})
	var looks sync.WaitGroup
	looks.Go(func() {
		for {
			select {
			case <-changed:
				return
			default:
				nodes.SetStatus("other", nodeapi.NodeStatusFailed)
			}
		}
	})
	for range 50_000 {
		nodes.SetRules(10*time.Second, registry.InService{CheckEvery: time.Hour})
		nodes.SetRules(time.Minute, registry.Document{})
	}
	close(changed)
	looks.Wait()
	if node, _ := nodes.Node("silent"); node.Status != nodeapi.NodeStatusOnline {
		t.Errorf("the node is %s", node.Status)
	}
}
