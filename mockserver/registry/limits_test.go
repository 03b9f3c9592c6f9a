package registry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func TestTooManyNodes(t *testing.T) {
	nodes := registry.New(time.Minute)
	nodes.SetLimits(registry.Limits{Nodes: 2})
	register := func(id string, want error) {
		t.Helper()
		if got := nodes.Register(registration(id), epoch).Refused; !errors.Is(got, want) {
			t.Errorf("%s: refused as %v, want %v", id, got, want)
		}
	}
	register("a", nil)
	register("b", nil)
	register("c", registry.ErrTooManyNodes)
	register("a", nil)
	if change, known := nodes.Heartbeat("b", beat(), epoch); !known || change.Refused != nil {
		t.Errorf("heartbeat: %+v", change)
	}
	if _, known := nodes.Heartbeat("c", beat(), epoch); known {
		t.Error("a node that was refused is on record")
	}
	nodes.Deregister("a")
	register("c", nil)
	nodes.SetLimits(registry.Limits{Nodes: 1})
	register("d", registry.ErrTooManyNodes)
	register("c", nil)
}

// TestTooManyBytes has nodes say more than there is room for, and less again.
func TestTooManyBytes(t *testing.T) {
	const limit = 80 << 10
	nodes := registry.New(time.Minute)
	nodes.SetLimits(registry.Limits{Bytes: limit})
	models := strings.Split(strings.Repeat("llama-3-8b ", 1000), " ")
	long := beat(nodeapi.PoolStatus{PoolID: "pool-0", ModelsAvailable: &models})
	for _, id := range []string{"a", "b", "c"} {
		nodes.Register(registration(id, "pool-0"), epoch)
	}
	send := func(id string, beat nodeapi.HeartbeatRequest, want error) registry.Change {
		t.Helper()
		change, known := nodes.Heartbeat(id, beat, epoch.Add(time.Second))
		if !known || !errors.Is(change.Refused, want) {
			t.Fatalf("%s: %v, refused as %v, want %v", id, known, change.Refused, want)
		}
		return change
	}
	send("a", long, nil)
	if change := send("b", long, registry.ErrTooManyBytes); change.StatusChanged() ||
		change.Node.Status != nodeapi.NodeStatusRegistering || !change.Node.LastHeartbeat.IsZero() {
		t.Errorf("refused, but %+v", change)
	}
	send("a", long, nil) // which is no more than before
	send("a", beat(long.Pools[0], nodeapi.PoolStatus{PoolID: "pool-1"}), nil)
	send("b", beat(), nil)
	send("a", beat(), nil)
	send("b", long, nil)
	nodes.Register(registration("b"), epoch) // without the pool
	send("c", long, nil)
	nodes.Deregister("c")
	send("a", long, nil)
	nodes.Clear()

	// The room that is left is not for those who say much.
	nodes.Register(registration("a"), epoch)
	nodes.Register(registration("b"), epoch)
	send("a", long, nil)
	send("b", long, registry.ErrTooManyBytes)
	nodes.Clear()

	gpus := slices.Repeat([]nodeapi.GPU{{Name: "NVIDIA GeForce RTX 3090"}}, 1024)
	large := registration("large")
	large.Capabilities.Gpus = &gpus
	if got := nodes.Register(large, epoch).Refused; !errors.Is(got, registry.ErrTooManyBytes) {
		t.Errorf("refused as %v", got)
	}
	for i := 0; ; i++ {
		if err := nodes.Register(registration(fmt.Sprint("node-", i)), epoch).Refused; err != nil {
			break
		}
		if i > limit {
			t.Fatal("there is no end to nodes")
		}
	}
}

// TestRefusedCallsDoNothing refuses all that a node can say. It is as silent as if it had said nothing.
func TestRefusedCallsDoNothing(t *testing.T) {
	nodes := registry.New(time.Minute)
	one := nodeapi.PoolStatus{PoolID: "pool-0"}
	nodes.Register(registration("node", "pool-0"), epoch)
	nodes.Heartbeat("node", beat(one), epoch)
	nodes.WriteOff("node", epoch)
	want := nodes.Nodes()
	nodes.SetLimits(registry.Limits{Bytes: 1})
	later := epoch.Add(time.Second)
	again := nodes.Register(registration("node", "pool-0", "pool-1"), later)
	another := nodes.Register(registration("another"), later)
	heartbeat, _ := nodes.Heartbeat("node", beat(one, one), later)
	for _, change := range []registry.Change{again, another, heartbeat} {
		if !errors.Is(change.Refused, registry.ErrTooManyBytes) {
			t.Errorf("refused as %v: %+v", change.Refused, change)
		}
	}
	if diff := cmp.Diff(want, nodes.Nodes()); diff != "" {
		t.Errorf("nodes (-before +after):\n%s", diff)
	}
}

// TestAllThatIsSaidTakesRoom has nodes say more than there is room for, each in another place.
func TestAllThatIsSaidTakesRoom(t *testing.T) {
	type (
		node = nodeapi.RegisterRequest
		pool = nodeapi.PoolStatus
	)
	const limit, many = 4000, 200
	long := strings.Repeat("x", limit)
	short := make([]string, many)
	for name, say := range map[string]func(*node, *pool){
		"id":            func(r *node, _ *pool) { r.NodeID = long },
		"machine":       func(r *node, _ *pool) { r.MachineID = long },
		"address":       func(r *node, _ *pool) { r.Address = long },
		"version":       func(r *node, _ *pool) { r.Version = &long },
		"CUDA":          func(r *node, _ *pool) { r.Capabilities.CUDAVersion = long },
		"pool":          func(r *node, _ *pool) { r.Pools = []string{long} },
		"pools":         func(r *node, _ *pool) { r.Pools = slices.Repeat(short, 2) },
		"GPU":           func(r *node, _ *pool) { gpus(r, nodeapi.GPU{Name: long}) },
		"capability":    func(r *node, _ *pool) { gpus(r, nodeapi.GPU{ComputeCapability: long}) },
		"GPUs":          func(r *node, _ *pool) { gpus(r, make([]nodeapi.GPU, many)...) },
		"reported pool": func(_ *node, p *pool) { p.PoolID = long },
		"engine":        func(_ *node, p *pool) { p.Engine = &long },
		"model":         func(_ *node, p *pool) { p.ModelsAvailable = &[]string{long} },
		"models": func(_ *node, p *pool) {
			p.ModelsAvailable = new(slices.Repeat(short, 2))
		},
	} {
		nodes := registry.New(time.Minute)
		nodes.SetLimits(registry.Limits{Bytes: limit})
		r, p := registration("node", "pool-0"), pool{PoolID: "pool-0"}
		say(&r, &p)
		err := nodes.Register(r, epoch).Refused
		if change, known := nodes.Heartbeat("node", beat(p), epoch); known && err == nil {
			err = change.Refused
		}
		if !errors.Is(err, registry.ErrTooManyBytes) {
			t.Errorf("%s: refused as %v", name, err)
		}
	}
}

func gpus(r *nodeapi.RegisterRequest, gpus ...nodeapi.GPU) { r.Capabilities.Gpus = &gpus }

// TestRoomIsGivenBack has nodes come, do all that nodes can, and go. There is as much room after it as before.
func TestRoomIsGivenBack(t *testing.T) {
	nodes := registry.New(time.Minute)
	nodes.SetForgetAfter(time.Minute)
	bulky := strings.Repeat("x", 17<<10)
	room := func() (fit [2]int) {
		for i, machine := range []string{"", bulky} {
			nodes.SetLimits(registry.Limits{Bytes: 400 << 10})
			for ; ; fit[i]++ {
				r := registration(fmt.Sprintf("node-%04d", fit[i]))
				if r.MachineID = machine; nodes.Register(r, epoch).Refused != nil {
					break
				}
			}
			for n := range fit[i] {
				nodes.Deregister(fmt.Sprintf("node-%04d", n))
			}
		}
		nodes.SetLimits(registry.Limits{})
		return fit
	}
	before := room()
	pool := nodeapi.PoolStatus{PoolID: "pool-0", Engine: new("vllm"), ModelsAvailable: &[]string{"llama-3-8b"}}
	for i := range 2000 {
		nodes.SetPolicy([]registry.Policy{registry.Document{}, registry.InService{}}[i%2])
		id := fmt.Sprint("node-", i)
		r := registration(id, "pool-0")
		nodes.Register(r, epoch)
		nodes.Heartbeat(id, beat(pool), epoch)
		r.MachineID = bulky
		nodes.Register(r, epoch)
		if i == 0 {
			nodes.Load(append(nodes.Nodes(), nodes.Nodes()...), epoch)
		}
		nodes.Deregister(id) // in service, its pools stay
		nodes.Register(r, epoch)
		nodes.SetStatus(id, nodeapi.NodeStatusOffline, epoch)
		if i%5 == 0 {
			nodes.SetPolicy(registry.Document{})
		}
		if i%3 == 0 {
			nodes.Deregister(id)
		} else {
			nodes.Expire(epoch.Add(time.Hour))
		}
	}
	nodes.SetPolicy(registry.Document{})
	if after := room(); after != before {
		t.Errorf("%v nodes fit, want %v as before", after, before)
	}
}

// TestHalfOfTheRoom has nodes that say much take the half that is theirs. Others have the rest.
func TestHalfOfTheRoom(t *testing.T) {
	nodes := registry.New(time.Minute)
	nodes.SetLimits(registry.Limits{Bytes: 400 << 10})
	for _, test := range []struct {
		bytes int
		want  int // how many fit, at least
	}{{20 << 10, 9}, {15 << 10, 12}} {
		fit := 0
		for ; ; fit++ {
			r := registration(fmt.Sprint("node-", test.bytes, "-", fit))
			if r.MachineID = strings.Repeat("x", test.bytes); nodes.Register(r, epoch).Refused != nil {
				break
			}
		}
		if fit < test.want || fit > test.want+2 {
			t.Errorf("%d nodes of %d bytes fit", fit, test.bytes)
		}
	}
}

// TestNoRoomForMore has a node on record beyond the limit. It goes on, as long as it says no more.
func TestNoRoomForMore(t *testing.T) {
	nodes := registry.New(time.Minute)
	nodes.SetLimits(registry.Limits{Bytes: 1})
	one := beat(nodeapi.PoolStatus{PoolID: "pool-0"})
	nodes.Load([]registry.Node{{Registration: registration("a", "pool-0"), Pools: one.Pools}}, epoch)
	for name, test := range map[string]struct {
		beat nodeapi.HeartbeatRequest
		want error
	}{
		"as much": {one, nil},
		"more":    {beat(one.Pools[0], nodeapi.PoolStatus{PoolID: "pool-1"}), registry.ErrTooManyBytes},
	} {
		if change, _ := nodes.Heartbeat("a", test.beat, epoch); !errors.Is(change.Refused, test.want) {
			t.Errorf("%s: refused as %v, want %v", name, change.Refused, test.want)
		}
	}
	if refused := nodes.Register(registration("a", "pool-0"), epoch).Refused; refused != nil {
		t.Errorf("it registers again as before: refused as %v", refused)
	}
}

// TestForget has nodes go Offline, and looks when they are forgotten.
func TestForget(t *testing.T) {
	nodes := registry.New(time.Minute)
	at := func(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }
	next := func(minutes int) {
		t.Helper()
		if got, waits := nodes.NextExpiry(); !waits || !got.Equal(at(minutes)) {
			t.Fatalf("next at %s, %v, want %s", got, waits, at(minutes))
		}
	}
	expire := func(minutes int, want ...string) {
		t.Helper()
		var got []string
		for _, change := range nodes.Expire(at(minutes)) {
			got = append(got,
				fmt.Sprintf("%s: %s to %s", change.Node.Registration.NodeID, change.Was, change.Node.Status))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("after %d minutes (-want +got):\n%s", minutes, diff)
		}
	}
	for _, id := range []string{"back", "failed", "gone", "silent"} {
		nodes.Register(registration(id), at(0))
	}
	nodes.SetStatus("back", nodeapi.NodeStatusOffline, at(0))
	nodes.SetStatus("failed", nodeapi.NodeStatusOffline, at(0))
	nodes.SetStatus("failed", nodeapi.NodeStatusFailed, at(0))
	nodes.SetForgetAfter(time.Hour)
	next(1)
	expire(1, "gone: Registering to Offline", "silent: Registering to Offline")
	next(60)
	nodes.Heartbeat("back", beat(), at(30))
	next(31)
	expire(31, "back: Online to Offline")
	nodes.SetStatus("gone", nodeapi.NodeStatusOffline, at(40)) // which it has been since
	nodes.WriteOff("silent", at(40))
	next(61)
	expire(60)
	nodes.Register(registration("late"), at(61))
	next(61)
	nodes.Deregister("late")
	expire(61, "gone: Offline to ", "silent: Offline to ")
	next(91)
	nodes.SetForgetAfter(0)
	if got, waits := nodes.NextExpiry(); waits {
		t.Errorf("next at %s", got)
	}
	nodes.SetForgetAfter(time.Hour)
	nodes.Load(nodes.Nodes(), at(90))
	expire(91, "back: Offline to ")
	if left := nodes.Nodes(); len(left) != 1 || left[0].Registration.NodeID != "failed" ||
		nodes.Totals().Nodes[nodeapi.NodeStatusOffline] != 0 {
		t.Errorf("left: %+v", left)
	}
	if _, known := nodes.Heartbeat("gone", beat(), at(92)); known {
		t.Error("a node that was forgotten is on record")
	}
}
