package cluster_test

import (
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestEveryChange changes a node in every way that there is. Each is in the journal, in order,
// and those that no request is behind are in the log.
func TestEveryChange(t *testing.T) {
	var log strings.Builder
	still := clock.PausedAt(time.UnixMilli(1_700_000_000_000))
	events := journal.New(100)
	nodes := cluster.New(cluster.Config{
		Clock: still, Journal: events, Log: slog.New(slog.NewTextHandler(&log, nil)),
		NodeTimeout: 30 * time.Second, Policy: registry.Document{}, ForgetAfter: time.Minute, MaxNodes: 1,
	})
	defer nodes.Close()
	changeInAllWays(t, nodes, still)
	want := []string{
		"Registering", "Registering → Online", "Online → Offline", "Offline → Online", "Online → Offline",
		"Offline → Failed", "Failed → Registering", "Registering → Offline", "Offline →", "Registering",
		"Registering →", "Registering", "Registering → Offline", "Offline →",
		"Registering", "Registering → Offline", "Offline → Registering", "Registering → Offline",
	}
	page := events.Page(journal.Filter{}, 100)
	for i, entry := range page.Entries {
		if i < len(want) && !strings.Contains(entry.Summary, want[i]) {
			t.Errorf("change %d is %q, want %q", i, entry.Summary, want[i])
		}
	}
	if len(page.Entries) != len(want) {
		t.Errorf("%d changes, want %d", len(page.Entries), len(want))
	}
	for message, times := range map[string]int{`"node offline"`: 4, `"node forgotten"`: 1} {
		if got := strings.Count(log.String(), message); got != times {
			t.Errorf("the log has %s %d times, want %d: %s", message, got, times, &log)
		}
	}
}

// changeInAllWays has a node of a cluster with room for one.
func changeInAllWays(t *testing.T, nodes *cluster.Cluster, still *clock.Clock) {
	t.Helper()
	const id = "gpu-node-1"
	advance := func(by time.Duration) {
		t.Helper()
		if err := still.Advance(by); err != nil {
			t.Fatal(err)
		}
	}
	register := func(id nodeapi.NodeID) (registry.Node, registry.Change) {
		return nodes.Register(nodeapi.RegisterRequest{NodeID: id}, nil)
	}
	if was, change := register(id); was.Status != "" || change.Node.Status != nodeapi.NodeStatusRegistering {
		t.Errorf("registered: was %+v, change %+v", was, change)
	}
	if _, change := register("another"); change.Refused == nil {
		t.Error("there are more nodes than may be")
	}
	if _, known := nodes.Heartbeat(id, nodeapi.HeartbeatRequest{}); !known {
		t.Error("the heartbeat is of nobody")
	}
	advance(30 * time.Second) // of silence
	nodes.Heartbeat(id, nodeapi.HeartbeatRequest{})
	nodes.SetRules(10*time.Second, registry.Document{})
	advance(10 * time.Second)
	nodes.SetStatus(id, nodeapi.NodeStatusFailed)
	if was, _ := register(id); was.Status != nodeapi.NodeStatusFailed {
		t.Errorf("the node was %+v", was)
	}
	nodes.SetStatus(id, nodeapi.NodeStatusOffline)
	nodes.WriteOff(id) // it is Offline already
	nodes.WriteOffAll()
	advance(time.Minute) // whereupon it is forgotten
	register(id)
	nodes.Remove(id)
	if _, known := nodes.Remove(id); known {
		t.Error("a node can be removed twice")
	}
	register(id)
	nodes.SetStatus(id, nodeapi.NodeStatusOffline)
	nodes.Remove(id)
	register(id)
	nodes.WriteOff(id)
	register(id)
	nodes.WriteOffAll()
}

// TestClose lets a node fall silent after the watch has ended.
func TestClose(t *testing.T) {
	still := clock.PausedAt(time.UnixMilli(1_700_000_000_000))
	nodes := cluster.New(cluster.Config{
		Clock: still, Journal: journal.New(100), Log: slog.New(slog.DiscardHandler), NodeTimeout: time.Second,
		Policy: registry.Document{}, MaxNodes: 1,
	})
	nodes.Register(nodeapi.RegisterRequest{NodeID: "gpu-node-1"}, nil)
	nodes.Close()
	nodes.Close()
	if err := still.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	nodes.SetRules(time.Minute, registry.Document{})
	if node, _ := nodes.Node("gpu-node-1"); node.Status != nodeapi.NodeStatusRegistering {
		t.Errorf("the node is %s", node.Status)
	}
}

// TestMemory registers nodes that say much, all of them the same text, until the memory for nodes is full.
func TestMemory(t *testing.T) {
	const mebibyte = 1 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	text := strings.Repeat("x", 16*mebibyte)
	for limit, want := range map[int64]int{ // mebibytes that the nodes say
		math.MaxInt64:       1024, // of 2 GiB
		1024 * mebibyte:     256,
		8 * 1024 * mebibyte: 2048,
	} {
		debug.SetMemoryLimit(limit)
		nodes := cluster.New(cluster.Config{
			Clock: clock.New(), Journal: journal.New(0), Log: slog.New(slog.DiscardHandler), NodeTimeout: time.Hour,
			Policy: registry.Document{}, MaxNodes: 1000,
		})
		defer nodes.Close()
		count := 0
		for ; ; count++ {
			registration := nodeapi.RegisterRequest{NodeID: fmt.Sprint(count), MachineID: text}
			if _, change := nodes.Register(registration, nil); change.Refused != nil {
				break
			}
		}
		if count != want/16-1 { // they say a little more
			t.Errorf("with a limit of %d bytes, %d nodes fit, want %d", limit, count, want/16-1)
		}
	}
}
