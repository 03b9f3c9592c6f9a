package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestSetStatus gives a node a status half way to its expiry, and looks when it expires.
func TestSetStatus(t *testing.T) {
	for _, test := range []struct {
		status nodeapi.NodeStatus
		next   time.Duration // zero for never
	}{
		{nodeapi.NodeStatusRegistering, 90 * time.Second},
		{nodeapi.NodeStatusOnline, 90 * time.Second},
		{nodeapi.NodeStatusDraining, 90 * time.Second},
		{nodeapi.NodeStatusOffline, 0},
		{nodeapi.NodeStatusFailed, 0},
	} {
		nodes := registry.New(time.Minute)
		nodes.Register(registration("node"), epoch)
		change, known := nodes.SetStatus("node", test.status, epoch.Add(30*time.Second))
		if !known || change.Was != nodeapi.NodeStatusRegistering || change.Node.Status != test.status {
			t.Errorf("%s: %v, %+v", test.status, known, change)
		}
		heard := epoch
		if test.next != 0 {
			heard = epoch.Add(30 * time.Second)
		}
		if !change.Node.Heard.Equal(heard) {
			t.Errorf("%s: heard of at %s", test.status, change.Node.Heard)
		}
		next, waits := nodes.NextExpiry()
		if waits != (test.next != 0) || waits && !next.Equal(epoch.Add(test.next)) {
			t.Errorf("%s: expires at %s, %v", test.status, next, waits)
		}
		nodes.Expire(epoch.Add(80 * time.Second))
		if node, _ := nodes.Node("node"); node.Status != test.status {
			t.Errorf("%s: became %s", test.status, node.Status)
		}
		nodes.Heartbeat("node", beat(), epoch.Add(81*time.Second))
		if node, _ := nodes.Node("node"); node.Status != nodeapi.NodeStatusOnline {
			t.Errorf("%s: is %s when it is heard of", test.status, node.Status)
		}
	}
	if _, known := registry.New(time.Minute).SetStatus("node", nodeapi.NodeStatusOnline, epoch); known {
		t.Error("a node that is not registered has a status")
	}
}

func TestSetTimeout(t *testing.T) {
	nodes := registry.New(time.Minute)
	nodes.Register(registration("node"), epoch)
	nodes.SetTimeout(time.Second)
	if next, _ := nodes.NextExpiry(); !next.Equal(epoch.Add(time.Second)) {
		t.Errorf("expires at %s", next)
	}
	nodes.SetTimeout(time.Hour)
	if expired := nodes.Expire(epoch.Add(time.Minute)); expired != nil {
		t.Errorf("expired: %v", expired)
	}
	if timeout := nodes.Timeout(); timeout != time.Hour {
		t.Errorf("the timeout is %s", timeout)
	}
}

// TestLoad replaces a node by three that were heard of in another order than that of
// their ids.
func TestLoad(t *testing.T) {
	nodes := registry.New(time.Minute)
	nodes.Register(registration("before"), epoch)
	at := func(id string, status nodeapi.NodeStatus, registered, beaten time.Duration) registry.Node {
		node := registry.Node{Registration: registration(id), Status: status, RegisteredAt: epoch.Add(registered)}
		if beaten != 0 {
			node.LastHeartbeat = epoch.Add(beaten)
		}
		return node
	}
	now := epoch.Add(10 * time.Second)
	nodes.Load([]registry.Node{
		at("a", nodeapi.NodeStatusOnline, 0, 9*time.Second),
		at("c", nodeapi.NodeStatusFailed, 0, 0),
		at("b", nodeapi.NodeStatusOffline, 0, 0),
		at("b", nodeapi.NodeStatusRegistering, 3*time.Second, 0),
	}, now)
	if _, known := nodes.Node("before"); known {
		t.Error("a node is left of those before")
	}
	var expired []string
	for _, change := range nodes.Expire(epoch.Add(2 * time.Minute)) {
		expired = append(expired, change.Node.Registration.NodeID)
		want := []registry.Transition{
			{At: now, To: change.Was},
			{At: epoch.Add(2 * time.Minute), From: change.Was, To: nodeapi.NodeStatusOffline},
		}
		if diff := cmp.Diff(want, change.Node.History); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"b", "a"}, expired); diff != "" {
		t.Errorf("expired (-want +got):\n%s", diff)
	}
	nodes.Clear()
	if _, waits := nodes.NextExpiry(); waits || len(nodes.Nodes()) != 0 || len(nodes.Totals().Nodes) != 0 {
		t.Error("something is left")
	}
}

// TestLoadedTimes has nodes on a list that say in their own way when they were last heard of.
func TestLoadedTimes(t *testing.T) {
	for name, times := range map[string][3]time.Duration{ // 0 for a time that is missing
		"heard of":               {10, 20, 30},
		"heard of before":        {30, 20, 10},
		"heartbeat":              {10, 30, 0},
		"registered again since": {30, 10, 0},
		"registered":             {30, 0, 0},
	} {
		at := func(i int) time.Time {
			if times[i] == 0 {
				return time.Time{}
			}
			return epoch.Add(times[i])
		}
		nodes := registry.New(time.Minute)
		nodes.Load([]registry.Node{{
			Registration: registration("node"), Status: nodeapi.NodeStatusOnline,
			RegisteredAt: at(0), LastHeartbeat: at(1), Heard: at(2),
		}}, epoch.Add(40))
		want := epoch.Add(30)
		if times[2] != 0 {
			want = at(2)
		}
		if next, _ := nodes.NextExpiry(); !next.Equal(want.Add(time.Minute)) {
			t.Errorf("%s: expires %s after it was heard of", name, next.Sub(want))
		}
	}
}

// TestLoadOffline has nodes on a list that went Offline in another order than that of the list.
func TestLoadOffline(t *testing.T) {
	var list []registry.Node
	var want []string
	for i := range 8 {
		id := fmt.Sprint("node-", i)
		want = append(want, id)
		list = append(list, registry.Node{
			Registration: registration(id), Status: nodeapi.NodeStatusOffline,
			History: []registry.Transition{{At: epoch.Add(time.Duration(i)), To: nodeapi.NodeStatusOffline}},
		})
	}
	slices.Reverse(list)
	nodes := registry.New(time.Minute)
	nodes.SetForgetAfter(time.Hour)
	nodes.Load(list, epoch.Add(time.Minute))
	if next, _ := nodes.NextExpiry(); !next.Equal(epoch.Add(time.Hour)) {
		t.Errorf("the first is forgotten at %s", next)
	}
	var forgotten []string
	for _, change := range nodes.Expire(epoch.Add(2 * time.Hour)) {
		forgotten = append(forgotten, change.Node.Registration.NodeID)
	}
	if diff := cmp.Diff(want, forgotten); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
}

// TestWriteOff writes nodes off, and looks what brings them back.
func TestWriteOff(t *testing.T) {
	for name, test := range map[string]struct {
		then func(*registry.Registry)
		want nodeapi.NodeStatus
	}{
		"heartbeat": {
			func(nodes *registry.Registry) { nodes.Heartbeat("node", beat(), epoch) }, nodeapi.NodeStatusOffline,
		},
		"load": {
			func(nodes *registry.Registry) { nodes.Load(nodes.Nodes(), epoch) }, nodeapi.NodeStatusOffline,
		},
		"registration": {
			func(nodes *registry.Registry) { nodes.Register(registration("node"), epoch) }, nodeapi.NodeStatusOnline,
		},
		"by hand": {
			func(nodes *registry.Registry) { nodes.SetStatus("node", nodeapi.NodeStatusOffline, epoch) },
			nodeapi.NodeStatusOnline,
		},
	} {
		nodes := registry.New(time.Minute)
		nodes.Register(registration("node"), epoch)
		change, known := nodes.WriteOff("node", epoch)
		if !known || !change.StatusChanged() || change.Node.Status != nodeapi.NodeStatusOffline {
			t.Errorf("%s: written off: %+v, %t", name, change, known)
		}
		if change, known = nodes.WriteOff("node", epoch); !known || change.StatusChanged() {
			t.Errorf("%s: written off again: %+v, %t", name, change, known)
		}
		if next, waits := nodes.NextExpiry(); waits {
			t.Errorf("%s: it expires at %s", name, next)
		}
		test.then(nodes)
		if change, _ = nodes.Heartbeat("node", beat(), epoch); change.Node.Status != test.want {
			t.Errorf("%s: the heartbeat after it makes it %s, want %s", name, change.Node.Status, test.want)
		}
	}
	nodes := registry.New(time.Minute)
	if change, known := nodes.WriteOff("node", epoch); known {
		t.Errorf("a node that is not registered is written off: %+v", change)
	}
	for _, id := range []string{"c", "b", "a"} {
		nodes.Register(registration(id), epoch)
	}
	nodes.SetStatus("b", nodeapi.NodeStatusOffline, epoch)
	for _, want := range [][]string{{"a", "c"}, nil} {
		var written []string
		for _, change := range nodes.WriteOffAll(epoch) {
			written = append(written, change.Node.Registration.NodeID)
		}
		if diff := cmp.Diff(want, written); diff != "" {
			t.Errorf("written off (-want +got):\n%s", diff)
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		if change, _ := nodes.Heartbeat(id, beat(), epoch); change.Node.Status != nodeapi.NodeStatusOffline {
			t.Errorf("a heartbeat makes %s %s, which was written off", id, change.Node.Status)
		}
	}
}

// TestHistory changes a status so often that not all of it is remembered, and holds on to
// what was remembered on the way. Another registry has the same node, and goes its own way with it.
func TestHistory(t *testing.T) {
	nodes := registry.New(time.Minute)
	nodes.Register(registration("node"), epoch)
	statuses := []nodeapi.NodeStatus{nodeapi.NodeStatusRegistering}
	var kept []registry.Node
	for i := range 3 * registry.HistorySize {
		elsewhere := registry.New(time.Minute)
		elsewhere.Load(nodes.Nodes(), epoch)
		status := []nodeapi.NodeStatus{
			nodeapi.NodeStatusOnline, nodeapi.NodeStatusDraining,
			nodeapi.NodeStatusFailed,
		}[i%3]
		nodes.SetStatus("node", status, epoch)
		nodes.SetStatus("node", status, epoch) // which changes nothing
		elsewhere.SetStatus("node", nodeapi.NodeStatusOffline, epoch)
		statuses = append(statuses, status)
		node, _ := nodes.Node("node")
		kept = append(kept, node)
	}
	for i, node := range kept {
		want := statuses[max(0, i+2-registry.HistorySize) : i+2]
		var got []nodeapi.NodeStatus
		for _, transition := range node.History {
			got = append(got, transition.To)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("after %d changes: %v, want %v", i+1, got, want)
		}
	}
}

// TestPages reads nodes page by page, and does at random what can be done to nodes.
// Pages and totals agree with a look at every node.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes, now := registry.New(time.Minute), epoch
		id := rapid.StringMatching("[a-f]")
		statuses := rapid.SampledFrom([]nodeapi.NodeStatus{
			nodeapi.NodeStatusRegistering, nodeapi.NodeStatusOnline,
			nodeapi.NodeStatusDraining, nodeapi.NodeStatusOffline, nodeapi.NodeStatusFailed,
		})
		pools := rapid.SampledFrom([][]nodeapi.PoolStatus{
			nil,
			{{Ready: true}, {}},
			{{Ready: true, Draining: new(true)}},
			{{Ready: true}, {Ready: true}},
			{{Ready: true}, {Ready: true, Draining: new(true)}},
		})
		known := map[string]bool{}
		var last, then registry.Totals // as they were at the last look, which nobody may change
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				id := id.Draw(t, "id")
				nodes.Register(registration(id), now)
				known[id] = true
			},
			"beat": func(t *rapid.T) { nodes.Heartbeat(id.Draw(t, "id"), beat(pools.Draw(t, "pools")...), now) },
			"leave": func(t *rapid.T) {
				id := id.Draw(t, "id")
				nodes.Deregister(id)
				delete(known, id)
			},
			"set":    func(t *rapid.T) { nodes.SetStatus(id.Draw(t, "id"), statuses.Draw(t, "status"), now) },
			"expire": func(t *rapid.T) { now = now.Add(50 * time.Second); nodes.Expire(now) },
			"load":   func(t *rapid.T) { nodes.Load(nodes.Nodes(), now) },
			"look": func(t *rapid.T) {
				paged, want := readPages(t, nodes, rapid.IntRange(1, 5).Draw(t, "limit"))
				if !slices.IsSorted(paged) || len(paged) != len(known) || len(nodes.Nodes()) != len(known) {
					t.Fatalf("paged %v, want %v", paged, known)
				}
				if diff := cmp.Diff(want, nodes.Totals()); diff != "" {
					t.Fatalf("totals (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(then, last); diff != "" {
					t.Fatalf("totals of the last look (-then +now):\n%s", diff)
				}
				last, then = nodes.Totals(), want
			},
		})
	})
}

// readPages reads all nodes by pages of a length. It returns their ids, and counts what Totals does.
func readPages(t *rapid.T, nodes *registry.Registry, limit int) (ids []string, totals registry.Totals) {
	totals.Nodes = map[nodeapi.NodeStatus]int{}
	for after, more := "", true; more; {
		var page []registry.Node
		page, more = nodes.Page(after, limit)
		if len(page) > limit || more && len(page) < limit {
			t.Fatalf("a page of %d, limit %d", len(page), limit)
		}
		for _, node := range page {
			if node.Registration.NodeID <= after {
				t.Fatalf("node %q comes after %q", node.Registration.NodeID, after)
			}
			after = node.Registration.NodeID
			ids = append(ids, after)
			totals.Nodes[node.Status]++
			for _, pool := range node.Pools {
				draining := pool.Draining != nil && *pool.Draining
				if node.Status == nodeapi.NodeStatusOnline && pool.Ready && !draining {
					totals.PoolsAvailable++
				}
			}
		}
	}
	return ids, totals
}

// TestManyComeAndGo has many more nodes come and go than are ever there.
func TestManyComeAndGo(t *testing.T) {
	nodes := registry.New(time.Minute)
	for i := range 10_000 {
		nodes.Register(registration(fmt.Sprintf("node-%d", i)), epoch)
		if i >= 3 {
			nodes.Deregister(fmt.Sprintf("node-%d", i-3))
		}
	}
	var ids []string
	for _, node := range nodes.Nodes() {
		ids = append(ids, node.Registration.NodeID)
	}
	if got := strings.Join(ids, " "); got != "node-9997 node-9998 node-9999" {
		t.Errorf("left: %s", got)
	}
}

// TestManyAtOnce has many nodes fall silent, and be forgotten, at the same time.
func TestManyAtOnce(t *testing.T) {
	const count = 10_000
	nodes := registry.New(time.Minute)
	nodes.SetForgetAfter(time.Hour)
	for i := range count {
		nodes.Register(registration(fmt.Sprint("node-", i)), epoch)
	}
	for _, now := range []time.Time{epoch.Add(time.Minute), epoch.Add(time.Minute + time.Hour)} {
		if got := len(nodes.Expire(now)); got != count {
			t.Errorf("at %s %d of %d nodes change", now, got, count)
		}
	}
}
