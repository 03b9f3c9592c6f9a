package registry_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

var epoch = time.Unix(1_000_000_000, 0)

func registration(id string, pools ...string) nodeapi.RegisterRequest {
	return nodeapi.RegisterRequest{NodeID: id, MachineID: "machine-of-" + id, Pools: pools}
}

func beat(pools ...nodeapi.PoolStatus) nodeapi.HeartbeatRequest {
	return nodeapi.HeartbeatRequest{Timestamp: epoch, Pools: pools}
}

func TestStatus(t *testing.T) {
	draining := nodeapi.PoolStatus{PoolID: "a", Draining: new(true)}
	working := nodeapi.PoolStatus{PoolID: "b", Draining: new(false)}
	silentAboutIt := nodeapi.PoolStatus{PoolID: "c"}
	for _, test := range []struct {
		pools []nodeapi.PoolStatus
		want  nodeapi.NodeStatus
	}{
		{nil, nodeapi.NodeStatusOnline},
		{[]nodeapi.PoolStatus{working}, nodeapi.NodeStatusOnline},
		{[]nodeapi.PoolStatus{silentAboutIt}, nodeapi.NodeStatusOnline},
		{[]nodeapi.PoolStatus{draining, working}, nodeapi.NodeStatusOnline},
		{[]nodeapi.PoolStatus{draining, silentAboutIt}, nodeapi.NodeStatusOnline},
		{[]nodeapi.PoolStatus{draining}, nodeapi.NodeStatusDraining},
		{[]nodeapi.PoolStatus{draining, draining}, nodeapi.NodeStatusDraining},
	} {
		nodes := registry.New(time.Minute)
		nodes.Register(registration("node"), epoch)
		got, known := nodes.Heartbeat("node", beat(test.pools...), epoch.Add(time.Second))
		want := registry.Change{Was: nodeapi.NodeStatusRegistering, Node: registry.Node{
			Registration: registration("node"), Status: test.want,
			RegisteredAt: epoch, LastHeartbeat: epoch.Add(time.Second), Heard: epoch.Add(time.Second),
			Pools: test.pools,
			History: []registry.Transition{
				{At: epoch, To: nodeapi.NodeStatusRegistering},
				{At: epoch.Add(time.Second), From: nodeapi.NodeStatusRegistering, To: test.want},
			},
		}}
		if diff := cmp.Diff(want, got); diff != "" || !known {
			t.Errorf("%v: change (-want +got):\n%s", test.pools, diff)
		}
	}
}

func TestRegister(t *testing.T) {
	nodes := registry.New(time.Minute)
	full := registration("node", "a", "b")
	full.Address, full.Version = "http://192.0.2.1:9200", new("0.1.0")
	full.Capabilities = nodeapi.NodeCapabilities{
		GPUCount: 1, TotalVRAMMB: 2, CUDAVersion: "12.1", Gpus: &[]nodeapi.GPU{{}}, CPUCores: new(int32(3)),
		RAMTotalBytes: new(int64(4)),
	}
	first := nodes.RegisterStated(full, &nodeapi.ReportedCapabilities{}, epoch)
	if first.Was != "" || first.Node.Status != nodeapi.NodeStatusRegistering {
		t.Errorf("first: %+v", first)
	}
	nodes.Heartbeat("node", beat(nodeapi.PoolStatus{PoolID: "a"}, nodeapi.PoolStatus{PoolID: "b"}), epoch)
	again := nodes.Register(registration("node", "b", "c"), epoch.Add(time.Second))
	want := registry.Change{Was: nodeapi.NodeStatusOnline, Node: registry.Node{
		Registration: registration("node", "b", "c"), Status: nodeapi.NodeStatusRegistering,
		RegisteredAt: epoch.Add(time.Second), Heard: epoch.Add(time.Second), Pools: []nodeapi.PoolStatus{{PoolID: "b"}},
		History: []registry.Transition{
			{At: epoch, To: nodeapi.NodeStatusRegistering},
			{At: epoch, From: nodeapi.NodeStatusRegistering, To: nodeapi.NodeStatusOnline},
			{At: epoch.Add(time.Second), From: nodeapi.NodeStatusOnline, To: nodeapi.NodeStatusRegistering},
		},
	}}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	nodes.Deregister("node")
	if anew := nodes.Register(registration("node", "b"), epoch); anew.Node.Pools != nil || len(anew.Node.History) != 1 {
		t.Errorf("after it has left: %+v", anew.Node)
	}
}

func TestUnknownNode(t *testing.T) {
	nodes := registry.New(time.Minute)
	if _, known := nodes.Heartbeat("node", beat(), epoch); known {
		t.Error("the heartbeat was taken")
	}
	if _, known := nodes.Deregister("node"); known {
		t.Error("the node was deregistered")
	}
	nodes.Register(registration("node"), epoch)
	nodes.Heartbeat("node", beat(nodeapi.PoolStatus{PoolID: "a"}), epoch)
	want, _ := nodes.Node("node")
	if got, known := nodes.Deregister("node"); !known || !cmp.Equal(want, got) {
		t.Errorf("deregistered %v, %+v, want %+v", known, got, want)
	}
	if _, known := nodes.Deregister("node"); known || len(nodes.Nodes()) != 0 {
		t.Error("the node is still there")
	}
}

// TestExpire keeps four nodes on the edge of their timeout.
func TestExpire(t *testing.T) {
	nodes := registry.New(time.Minute)
	for i, id := range []string{"silent", "beats", "registers", "leaves"} {
		nodes.Register(registration(id), epoch.Add(time.Duration(i)*time.Second))
	}
	nodes.Register(registration("registers"), epoch.Add(5*time.Second))
	nodes.Heartbeat("beats", beat(), epoch.Add(10*time.Second))
	nodes.Deregister("leaves")

	for _, step := range []struct {
		after   time.Duration
		expired []string
		next    time.Duration // zero for none
	}{
		{time.Minute - 1, nil, time.Minute},
		{time.Minute, []string{"silent Registering"}, 65 * time.Second},
		{time.Minute, nil, 65 * time.Second},
		{70 * time.Second, []string{"registers Registering", "beats Online"}, 0},
		{time.Hour, nil, 0},
	} {
		var expired []string
		for _, change := range nodes.Expire(epoch.Add(step.after)) {
			if change.Node.Status != nodeapi.NodeStatusOffline {
				t.Errorf("%s is %s", change.Node.Registration.NodeID, change.Node.Status)
			}
			expired = append(expired, fmt.Sprint(change.Node.Registration.NodeID, " ", change.Was))
		}
		if diff := cmp.Diff(step.expired, expired); diff != "" {
			t.Errorf("expired after %s (-want +got):\n%s", step.after, diff)
		}
		next, waits := nodes.NextExpiry()
		if waits != (step.next != 0) || waits && !next.Equal(epoch.Add(step.next)) {
			t.Errorf("after %s the next expires at %s, %v", step.after, next, waits)
		}
	}

	nodes.Heartbeat("silent", beat(), epoch.Add(2*time.Hour))
	if next, _ := nodes.NextExpiry(); !next.Equal(epoch.Add(2*time.Hour + time.Minute)) {
		t.Errorf("a node that is back expires at %s", next)
	}
	if got := nodes.Nodes(); len(got) != 3 || got[2].Status != nodeapi.NodeStatusOnline {
		t.Errorf("nodes: %+v", got)
	}
}

// TestConcurrency is for the race detector.
func TestConcurrency(t *testing.T) {
	nodes := registry.New(time.Minute)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 100 {
				id := "node-" + strconv.Itoa(i%10)
				now := epoch.Add(time.Duration(i) * time.Second)
				nodes.Register(registration(id, "pool"), now)
				nodes.Heartbeat(id, beat(nodeapi.PoolStatus{PoolID: "pool"}), now)
				nodes.Expire(now)
				nodes.NextExpiry()
				if worker == 0 {
					nodes.Deregister(id)
				}
				nodes.SetStatus(id, nodeapi.NodeStatusFailed, now)
				page, _ := nodes.Page("node-3", 3)
				for _, node := range append(page, nodes.Nodes()...) {
					_ = fmt.Sprint(node.Pools, node.History)
				}
				nodes.Totals()
				if worker == 1 && i%20 == 0 {
					nodes.Load(nodes.Nodes(), now)
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkExpire shows that a node that expires costs the same among many as among
// few.
func BenchmarkExpire(b *testing.B) {
	for _, count := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("nodes=%d", count), func(b *testing.B) {
			nodes := registry.New(time.Duration(count))
			for i := range count {
				nodes.Register(registration("node-"+strconv.Itoa(i)), epoch.Add(time.Duration(i)))
			}
			b.ReportAllocs()
			for i := count; b.Loop(); i++ {
				now := epoch.Add(time.Duration(i))
				expired := nodes.Expire(now)
				nodes.Heartbeat(expired[0].Node.Registration.NodeID, beat(), now)
			}
		})
	}
}

// BenchmarkHeartbeat has many nodes send heartbeats, one after the other or on all
// processors at once, where they wait for each other: there is one lock.
func BenchmarkHeartbeat(b *testing.B) {
	const count = 100_000
	nodes := registry.New(time.Hour)
	ids := make([]nodeapi.NodeID, count)
	for i := range ids {
		ids[i] = "node-" + strconv.Itoa(i)
		nodes.Register(registration(ids[i]), epoch)
		nodes.Heartbeat(ids[i], beat(), epoch)
	}
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			nodes.Heartbeat(ids[i%count], beat(), epoch)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := rand.IntN(count); pb.Next(); i++ {
				nodes.Heartbeat(ids[i%count], beat(), epoch)
			}
		})
	})
}
