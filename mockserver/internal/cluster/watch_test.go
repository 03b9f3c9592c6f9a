package cluster_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestWatch does the same to a cluster and to a registry that is asked each second who is silent.
// The timer of the cluster is as good as that, whatever changes while it is set.
func TestWatch(t *testing.T) {
	ids := rapid.StringMatching("[a-d]")
	seconds := rapid.IntRange(1, 30)
	statuses := rapid.SampledFrom([]nodeapi.NodeStatus{
		nodeapi.NodeStatusOnline, nodeapi.NodeStatusDraining, nodeapi.NodeStatusOffline, nodeapi.NodeStatusFailed,
	})
	policies := rapid.SampledFrom([]registry.Policy{
		registry.Document{},
		registry.InService{CheckEvery: 7 * time.Second},
		registry.InService{CheckEvery: time.Minute},
	})
	rapid.Check(t, func(t *rapid.T) {
		still := clock.PausedAt(time.Unix(1_700_000_000, 0))
		watched := cluster.New(cluster.Config{
			Clock: still, Journal: journal.New(1), Log: slog.New(slog.DiscardHandler), NodeTimeout: 20 * time.Second,
			ForgetAfter: 40 * time.Second, MaxNodes: 10,
		})
		defer watched.Close()
		asked := registry.New(20 * time.Second)
		asked.SetForgetAfter(40 * time.Second)
		t.Repeat(map[string]func(*rapid.T){
			"pass": func(t *rapid.T) {
				for range seconds.Draw(t, "seconds") {
					if err := still.Advance(time.Second); err != nil {
						t.Fatal(err)
					}
					asked.Expire(still.Now())
				}
			},
			"register": func(t *rapid.T) {
				registration := nodeapi.RegisterRequest{NodeID: ids.Draw(t, "id")}
				watched.Register(registration, nil)
				asked.Register(registration, still.Now())
			},
			"beat": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				watched.Heartbeat(id, nodeapi.HeartbeatRequest{})
				asked.Heartbeat(id, nodeapi.HeartbeatRequest{}, still.Now())
			},
			"set status": func(t *rapid.T) {
				id, status := ids.Draw(t, "id"), statuses.Draw(t, "status")
				watched.SetStatus(id, status)
				asked.SetStatus(id, status, still.Now())
			},
			"write off": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				watched.WriteOff(id)
				asked.WriteOff(id, still.Now())
			},
			"write off all": func(*rapid.T) {
				watched.WriteOffAll()
				asked.WriteOffAll(still.Now())
			},
			"remove": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				watched.Remove(id)
				asked.Deregister(id)
			},
			"load": func(*rapid.T) {
				nodes := watched.Nodes()
				watched.Load(nodes, still.Now())
				asked.Load(nodes, still.Now())
			},
			"set timeout": func(t *rapid.T) {
				timeout := time.Duration(seconds.Draw(t, "seconds")) * time.Second
				watched.SetTimeout(timeout)
				asked.SetTimeout(timeout)
			},
			"set policy": func(t *rapid.T) {
				policy := policies.Draw(t, "policy")
				watched.SetPolicy(policy)
				asked.SetPolicy(policy)
			},
			"": func(t *rapid.T) {
				asked.Expire(still.Now())
				if diff := cmp.Diff(asked.Nodes(), watched.Nodes()); diff != "" {
					t.Fatalf("-asked +watched:\n%s", diff)
				}
			},
		})
	})
}
