package cluster_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestWatch_heavy does the same to a cluster and to a registry that is asked each second who is silent.
// The timer of the cluster is as good as that, whatever changes while it is set.
func TestWatch_heavy(t *testing.T) {
	race.Skip(t)
	rapid.Check(t, func(t *rapid.T) {
		w := newTwins()
		defer w.watched.Close()
		t.Repeat(map[string]func(*rapid.T){
			"pass": w.pass, "register": w.register, "beat": w.beat, "set status": w.setStatus,
			"write off": w.writeOff, "write off all": w.writeOffAll, "remove": w.remove, "load": w.load,
			"set rules": w.setRules, "": w.compare,
		})
	})
}

// twins are a cluster, whose timer finds silent nodes, and a registry with the same nodes.
type twins struct {
	clock   *clock.Clock
	watched *cluster.Cluster
	asked   *registry.Registry
}

func newTwins() twins {
	const timeout, forgetAfter = 20 * time.Second, 40 * time.Second
	still := clock.PausedAt(time.Unix(1_700_000_000, 0))
	asked := registry.New(timeout)
	asked.SetForgetAfter(forgetAfter)
	return twins{clock: still, asked: asked, watched: cluster.New(cluster.Config{
		Clock: still, Journal: journal.New(1), Log: slog.New(slog.DiscardHandler), NodeTimeout: timeout,
		Policy: registry.Document{}, ForgetAfter: forgetAfter, MaxNodes: 10,
	})}
}

func aNode(t *rapid.T) nodeapi.NodeID { return rapid.StringMatching("[a-d]").Draw(t, "id") }

func seconds(t *rapid.T) int { return rapid.IntRange(1, 30).Draw(t, "seconds") }

func (w twins) pass(t *rapid.T) {
	for range seconds(t) {
		if err := w.clock.Advance(time.Second); err != nil {
			t.Fatal(err)
		}
		w.asked.Expire(w.clock.Now())
	}
}

func (w twins) register(t *rapid.T) {
	registration := nodeapi.RegisterRequest{NodeID: aNode(t)}
	w.watched.Register(registration, nil)
	w.asked.Register(registration, w.clock.Now())
}

func (w twins) beat(t *rapid.T) {
	id := aNode(t)
	w.watched.Heartbeat(id, nodeapi.HeartbeatRequest{})
	w.asked.Heartbeat(id, nodeapi.HeartbeatRequest{}, w.clock.Now())
}

func (w twins) setStatus(t *rapid.T) {
	id := aNode(t)
	status := rapid.SampledFrom([]nodeapi.NodeStatus{
		nodeapi.NodeStatusOnline, nodeapi.NodeStatusDraining, nodeapi.NodeStatusOffline, nodeapi.NodeStatusFailed,
	}).Draw(t, "status")
	w.watched.SetStatus(id, status)
	w.asked.SetStatus(id, status, w.clock.Now())
}

func (w twins) writeOff(t *rapid.T) {
	id := aNode(t)
	w.watched.WriteOff(id)
	w.asked.WriteOff(id, w.clock.Now())
}

func (w twins) writeOffAll(*rapid.T) {
	w.watched.WriteOffAll()
	w.asked.WriteOffAll(w.clock.Now())
}

func (w twins) remove(t *rapid.T) {
	id := aNode(t)
	w.watched.Remove(id)
	w.asked.Deregister(id)
}

func (w twins) load(t *rapid.T) {
	nodes := w.watched.Nodes()
	for i := range nodes {
		nodes[i].Heard = nodes[i].Heard.Add(-time.Duration(seconds(t)) * time.Second)
	}
	w.watched.Load(nodes, w.clock.Now())
	w.asked.Load(nodes, w.clock.Now())
}

func (w twins) setRules(t *rapid.T) {
	timeout := time.Duration(seconds(t)) * time.Second
	policy := rapid.SampledFrom([]registry.Policy{
		registry.Document{},
		registry.InService{CheckEvery: 7 * time.Second},
		registry.InService{CheckEvery: time.Minute},
	}).Draw(t, "policy")
	w.watched.SetRules(timeout, policy)
	w.asked.SetTimeout(timeout)
	w.asked.SetPolicy(policy)
}

// compare runs before the first change and after each.
func (w twins) compare(t *rapid.T) {
	w.asked.Expire(w.clock.Now())
	if diff := cmp.Diff(w.asked.Nodes(), w.watched.Nodes()); diff != "" {
		t.Fatalf("-asked +watched:\n%s", diff)
	}
}
