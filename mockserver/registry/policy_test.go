package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// cluster is a registry whose clock the test sets, in the policy of the orchestratord in service.
type cluster struct {
	*registry.Registry
	now time.Time
}

func inService(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{registry.New(30 * time.Second), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	c.SetPolicy(registry.InService{})
	return c
}

// pass lets time pass, and returns which nodes have gone offline meanwhile.
func (c *cluster) pass(d time.Duration) (offline []string) {
	for end := c.now.Add(d); ; {
		next, waits := c.NextExpiry()
		if !waits || next.After(end) {
			c.now = end
			return offline
		}
		c.now = next
		for _, change := range c.Expire(next) {
			offline = append(offline, change.Node.Registration.NodeID)
		}
	}
}

func (c *cluster) register(id string, pools ...string) {
	c.Register(nodeapi.RegisterRequest{NodeID: id, Pools: pools}, c.now)
}

func (c *cluster) beat(t *testing.T, id string, pools ...string) {
	t.Helper()
	beat := nodeapi.HeartbeatRequest{}
	for _, pool := range pools {
		beat.Pools = append(beat.Pools, nodeapi.PoolStatus{PoolID: pool, Ready: true})
	}
	if change, known := c.Heartbeat(id, beat, c.now); !known || change.Refused != nil {
		t.Fatalf("heartbeat of %s: known %t, refused as %v", id, known, change.Refused)
	}
}

func (c *cluster) listed() (ids []string) {
	nodes, _ := c.Listed("", 100, c.now)
	for _, node := range nodes {
		ids = append(ids, node.Registration.NodeID)
	}
	return ids
}

func (c *cluster) pools(t *testing.T, id string) (ids []string) {
	t.Helper()
	node, known := c.Node(id)
	if !known {
		t.Fatalf("%s is not known", id)
	}
	for _, pool := range node.Pools {
		ids = append(ids, pool.PoolID)
	}
	return ids
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s, -want +have:\n%s", what, diff)
	}
}

func TestInServiceOfflineSticks(t *testing.T) {
	c := inService(t)
	c.register("a")
	c.beat(t, "a")
	equal(t, "listed after the first heartbeat", c.listed(), []string{"a"})
	equal(t, "offline after 50 s", c.pass(50*time.Second), []string{"a"})
	for range 10 {
		c.beat(t, "a")
		c.pass(time.Second)
		equal(t, "listed after another heartbeat", c.listed(), nil)
	}
	c.register("a")
	equal(t, "listed after it has registered again", c.listed(), nil)
	c.beat(t, "a")
	equal(t, "listed after the heartbeat that follows", c.listed(), []string{"a"})
}

// The list leaves out what is older than 30 s, and the check comes every 10 s.
func TestInServiceLooksEveryTenSeconds(t *testing.T) {
	c := inService(t)
	c.now = c.now.Add(time.Second)
	c.register("a")
	c.beat(t, "a")
	c.pass(30 * time.Second)
	equal(t, "listed 30 s after the last heartbeat", c.listed(), []string{"a"})
	equal(t, "offline", c.pass(time.Second), nil)
	equal(t, "listed 31 s after the last heartbeat", c.listed(), nil)
	equal(t, "offline before the check", c.pass(7*time.Second), nil)
	c.beat(t, "a")
	equal(t, "listed when it has beaten before the check", c.listed(), []string{"a"})
	c.pass(40 * time.Second)
	node, _ := c.Node("a")
	equal(t, "status after a check", node.Status, nodeapi.NodeStatusOffline)
}

// A status that is set by hand is a sign of life, but no heartbeat.
func TestInServiceListsWhoBeats(t *testing.T) {
	c := inService(t)
	c.register("a")
	setOnline := func() { c.SetStatus("a", nodeapi.NodeStatusOnline, c.now) }
	setOnline()
	equal(t, "listed when it is set Online and has never beaten", c.listed(), nil)
	c.beat(t, "a")
	c.pass(20 * time.Second)
	setOnline()
	equal(t, "listed 20 s after its heartbeat", c.listed(), []string{"a"})
	c.pass(11 * time.Second)
	equal(t, "offline 11 s after it was set Online", c.pass(0), nil)
	equal(t, "listed 31 s after its heartbeat", c.listed(), nil)
}

// A timeout that is over just when the check comes is not more than over.
func TestInServiceSparesWhoHasJustTimedOut(t *testing.T) {
	c := inService(t)
	c.now = c.now.Add(-time.Second)
	for _, id := range []string{"over", "just"} {
		c.register(id)
		c.beat(t, id)
		c.pass(time.Second)
	}
	equal(t, "offline by the check after 30 s", c.pass(29*time.Second), []string{"over"})
	equal(t, "offline by the next check", c.pass(10*time.Second), []string{"just"})
}

func TestInServiceWaitsForTheFirstHeartbeat(t *testing.T) {
	c := inService(t)
	c.register("a")
	equal(t, "offline after an hour without a heartbeat", c.pass(time.Hour), nil)
	c.beat(t, "a")
	equal(t, "listed", c.listed(), []string{"a"})
}

func TestInServiceForgetsNoPool(t *testing.T) {
	c := inService(t)
	c.register("a", "p", "q")
	c.beat(t, "a", "p", "q")
	c.beat(t, "a", "q", "r")
	equal(t, "pools of merged heartbeats", c.pools(t, "a"), []string{"p", "q", "r"})
	c.register("a", "q")
	equal(t, "pools after it has registered with fewer", c.pools(t, "a"), []string{"p", "q", "r"})
	c.Deregister("a")
	c.SetPolicy(registry.InService{CheckEvery: time.Minute})
	c.register("a", "s")
	equal(t, "pools after it has left and come back", c.pools(t, "a"), []string{"p", "q", "r"})
	c.SetForgetAfter(time.Minute)
	c.beat(t, "a")
	c.pass(time.Hour)
	if _, known := c.Node("a"); known {
		t.Fatal("the node is not forgotten")
	}
	c.register("a", "s")
	equal(t, "pools after it was forgotten and has come back", c.pools(t, "a"), []string{"p", "q", "r"})
	c.SetPolicy(registry.Document{})
	c.beat(t, "a", "s")
	equal(t, "pools in the other policy", c.pools(t, "a"), []string{"s"})
	c.SetPolicy(registry.InService{})
	c.Deregister("a")
	c.SetPolicy(registry.Document{})
	c.register("a", "s")
	equal(t, "pools of a node that had left before the policy changed", c.pools(t, "a"), nil)
	c.SetPolicy(registry.InService{})
	c.beat(t, "a", "s")
	c.Deregister("a")
	c.Load(nil, c.now)
	c.register("a")
	equal(t, "pools after orchestratord has started again", c.pools(t, "a"), nil)
	c.beat(t, "a", "p")
	c.Deregister("a")
	c.SetPolicy(registry.Document{})
	c.SetPolicy(registry.InService{})
	c.register("a")
	equal(t, "pools after another policy, which keeps none", c.pools(t, "a"), nil)
}

// Whoever was given a node reads what was known of it then.
func TestInServiceMergesACopy(t *testing.T) {
	c := inService(t)
	c.register("a", "p")
	c.beat(t, "a", "p")
	before, _ := c.Node("a")
	now := nodeapi.PoolStatus{
		PoolID: "p", Draining: new(true), SlotsFree: 1, SlotsTotal: new(int32(2)), VRAMFreeBytes: new(int64(3)),
		Engine: new("vllm"), ModelsAvailable: &[]string{"llama-3-8b"},
	}
	c.Heartbeat("a", nodeapi.HeartbeatRequest{Pools: []nodeapi.PoolStatus{now}}, c.now)
	after, _ := c.Node("a")
	equal(t, "the pools before", before.Pools, []nodeapi.PoolStatus{{PoolID: "p", Ready: true}})
	equal(t, "the pools now", after.Pools, []nodeapi.PoolStatus{now})
}

func TestInServiceDrainingIsOnline(t *testing.T) {
	c := inService(t)
	c.register("a", "p")
	beat := nodeapi.HeartbeatRequest{Pools: []nodeapi.PoolStatus{{PoolID: "p", Draining: new(true)}}}
	c.Heartbeat("a", beat, c.now)
	equal(t, "listed", c.listed(), []string{"a"})
	c.SetPolicy(registry.Document{})
	change, _ := c.Heartbeat("a", beat, c.now)
	equal(t, "status in the other policy", change.Node.Status, nodeapi.NodeStatusDraining)
}

func TestInServiceLooksAtWhoIsOnline(t *testing.T) {
	c := inService(t)
	for _, status := range []nodeapi.NodeStatus{nodeapi.NodeStatusDraining, nodeapi.NodeStatusFailed} {
		c.register("a")
		c.beat(t, "a")
		c.SetStatus("a", status, c.now)
		equal(t, "offline after an hour as "+string(status), c.pass(time.Hour), nil)
		change, _ := c.Heartbeat("a", nodeapi.HeartbeatRequest{}, c.now)
		equal(t, "status after a heartbeat", change.Node.Status, status)
	}
}

// Nodes that are on record are watched by the policy that they meet.
func TestSetPolicyWatchesAll(t *testing.T) {
	c := inService(t)
	ids := []string{"f", "e", "d", "c", "b", "a"}
	for _, id := range ids {
		c.register(id)
		c.pass(time.Second)
	}
	equal(t, "offline in service", c.pass(time.Minute), nil)
	c.SetPolicy(registry.Document{})
	equal(t, "offline by the document", c.pass(0), ids)
	equal(t, "listed by the document", c.listed(), []string{"a", "b", "c", "d", "e", "f"})
}

func TestInServiceLooksWhenItIsSaid(t *testing.T) {
	// The first check that is more than 30 s after the heartbeat.
	for every, check := range map[time.Duration]time.Duration{
		2 * time.Minute: 2 * time.Minute, 2 * time.Second: 32 * time.Second,
	} {
		c := inService(t)
		c.SetPolicy(registry.InService{CheckEvery: every})
		c.register("a")
		c.beat(t, "a")
		equal(t, "offline before the check", c.pass(check-1), nil)
		equal(t, "offline by the check", c.pass(1), []string{"a"})
	}
}

// What nodes leave behind counts as memory, and is given up when there is no room for another.
func TestInServiceCountsWhatIsLeft(t *testing.T) {
	c := inService(t)
	c.SetLimits(registry.Limits{Bytes: 8000})
	c.SetForgetAfter(time.Second)
	leave := []func(id string){
		func(id string) { c.Deregister(id) },
		func(string) { c.pass(time.Hour) },
	}
	var ids []string
	for i := range 100 {
		id := fmt.Sprint("node-", i)
		ids = append(ids, id)
		c.register(id)
		c.beat(t, id, "p")
		leave[i%2](id)
	}
	kept := 0
	for _, id := range slices.Backward(ids) {
		c.register(id)
		kept += len(c.pools(t, id))
		c.SetStatus(id, nodeapi.NodeStatusFailed, c.now)
		c.Deregister(id)
	}
	if kept < 5 || kept > 50 {
		t.Errorf("of 100 nodes that have left, the pools of %d are kept in 8000 bytes", kept)
	}
}

// What nodes have left behind stays while a node on record says other things, and no more.
func TestInServiceKeepsWhatIsLeftWhileThereIsRoom(t *testing.T) {
	c := inService(t)
	c.SetLimits(registry.Limits{Bytes: 8000})
	c.register("gone")
	c.beat(t, "gone", "p")
	c.Deregister("gone")
	for _, length := range []int{5000, 5100} {
		registration := nodeapi.RegisterRequest{NodeID: "here", MachineID: strings.Repeat("x", length)}
		equal(t, "refused", c.Register(registration, c.now).Refused, nil)
	}
	c.register("gone")
	equal(t, "pools of the node that has come back", c.pools(t, "gone"), []string{"p"})
}

// A node that comes and goes leaves no more behind each time.
func TestInServiceCountsWhoComesBackOnce(t *testing.T) {
	c := inService(t)
	c.SetLimits(registry.Limits{Bytes: 8000})
	for i := range 100 {
		if refused := c.Register(nodeapi.RegisterRequest{NodeID: "a"}, c.now).Refused; refused != nil {
			t.Fatalf("the node has come back %d times: %v", i, refused)
		}
		c.beat(t, "a", "p")
		c.Deregister("a")
	}
}
