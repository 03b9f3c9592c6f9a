// Package cluster is an orchestratord without HTTP. It keeps the registry of nodes by a clock,
// and notices nodes that fall silent. It writes each change of a node into the journal, and those
// that no request is behind into the log.
package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Cluster is the nodes of an orchestratord. Every change of them goes through it, and it watches those
// that were heard of. That all nodes were replaced or forgotten is for its callers to write down. It is
// safe for concurrent use.
type Cluster struct {
	clock   *clock.Clock
	nodes   *registry.Registry
	journal *journal.Journal
	log     *slog.Logger
	most    int // nodes at once
	watch   watch
}

// Config is what a cluster is made of.
type Config struct {
	Clock   *clock.Clock
	Journal *journal.Journal
	Log     *slog.Logger

	NodeTimeout time.Duration // the silence after which a node is Offline (CLOUD-2013)
	Policy      registry.Policy
	ForgetAfter time.Duration // how long a node is Offline before it is forgotten; 0 for ever
	MaxNodes    int
}

// New returns a cluster without nodes. What is known of nodes takes no more than half of the
// memory limit of the program, or 2 GiB. Close ends its watch.
func New(config Config) *Cluster {
	nodes := registry.New(config.NodeTimeout)
	nodes.SetPolicy(config.Policy)
	nodes.SetLimits(registry.Limits{Nodes: config.MaxNodes, Bytes: nodeMemory()})
	nodes.SetForgetAfter(config.ForgetAfter)
	c := &Cluster{clock: config.Clock, nodes: nodes, journal: config.Journal, log: config.Log, most: config.MaxNodes}
	c.watch = watch{nodes: nodes, clock: config.Clock, report: c.expired}
	return c
}

// nodeMemory is how many bytes what is known of nodes may take.
func nodeMemory() int64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 { // which only reads it
		return limit / 2
	}
	return 2 << 30
}

// Close ends the watch: no node is marked Offline any more. Closing again does nothing.
func (c *Cluster) Close() { c.watch.close() }

// Register adds a node, or replaces it (CLOUD-2001, CLOUD-2004). It returns the node as it was
// before, too, which is zero if there was none. What is stated may be nil: see registry.Node.
func (c *Cluster) Register(
	registration nodeapi.RegisterRequest, stated *nodeapi.ReportedCapabilities,
) (was registry.Node, _ registry.Change) {
	was, _ = c.nodes.Node(registration.NodeID)
	return was, c.heard(c.nodes.RegisterStated(registration, stated, c.clock.Now()))
}

// Heartbeat renews a node (CLOUD-2010). It reports false for one that is not registered.
func (c *Cluster) Heartbeat(id nodeapi.NodeID, beat nodeapi.HeartbeatRequest) (registry.Change, bool) {
	change, known := c.nodes.Heartbeat(id, beat, c.clock.Now())
	if !known {
		return change, false
	}
	return c.heard(change), true
}

// heard has a node whose status changed watched, and writes down the change. What changes no status, as
// most heartbeats do, costs neither: without another status a node can only expire later.
func (c *Cluster) heard(change registry.Change) registry.Change {
	if change.Refused == nil && change.StatusChanged() {
		c.watch.arm()
		c.record(change)
	}
	return change
}

// SetStatus gives a node a status, by hand. It reports false for one that is not registered.
func (c *Cluster) SetStatus(id nodeapi.NodeID, status nodeapi.NodeStatus) (registry.Change, bool) {
	change, known := c.nodes.SetStatus(id, status, c.clock.Now())
	if known {
		c.watch.expire() // which sets the timer anew: a node that is Offline may have to be forgotten soon
		c.record(change)
	}
	return change, known
}

// WriteOff marks a node Offline until it registers again, whatever its heartbeats say. One that is
// not registered stays so.
func (c *Cluster) WriteOff(id nodeapi.NodeID) {
	if change, _ := c.nodes.WriteOff(id, c.clock.Now()); change.StatusChanged() {
		c.writtenOff(change)
	}
}

// WriteOffAll does so with all nodes.
func (c *Cluster) WriteOffAll() { c.writtenOff(c.nodes.WriteOffAll(c.clock.Now())...) }

func (c *Cluster) writtenOff(changes ...registry.Change) {
	c.watch.expire() // which sets the timer anew: a node that is Offline may have to be forgotten soon
	c.expired(changes)
}

// Remove takes a node off the record (CLOUD-2021), and returns what was known of it last. It
// reports false for one that is not registered.
func (c *Cluster) Remove(id nodeapi.NodeID) (registry.Node, bool) {
	node, known := c.nodes.Deregister(id)
	if known {
		c.journal.Change(node.Registration.NodeID, c.clock.Now(), node.Status, "")
	}
	return node, known
}

// CheckLoad returns an error for a list of more nodes than may be registered. Load itself takes them.
func (c *Cluster) CheckLoad(nodes int) error {
	if nodes <= c.most {
		return nil
	}
	return fmt.Errorf("must have %d items or fewer, as that many nodes may be registered, not %d", c.most, nodes)
}

// Load replaces all nodes by others as they are now. The journal does not list them one by one.
func (c *Cluster) Load(nodes []registry.Node, now time.Time) {
	c.nodes.Load(nodes, now)
	c.watch.expire()
}

// Clear forgets all nodes. The journal does not list them one by one.
func (c *Cluster) Clear() { c.nodes.Clear() }

// SetRules changes the silence after which a node is Offline, and what is made of what nodes send. Nobody
// is Offline by one of them and what was in place of the other.
func (c *Cluster) SetRules(timeout time.Duration, policy registry.Policy) {
	c.watch.expireAfter(func() {
		c.nodes.SetTimeout(timeout)
		c.nodes.SetPolicy(policy)
	})
}

// ExpiresAt returns when a node is Offline, unless it is heard of before. It reports false for one that never
// will be.
func (c *Cluster) ExpiresAt(node registry.Node) (time.Time, bool) { return c.nodes.ExpiresAt(node) }

// Timeout returns the silence after which a node is Offline.
func (c *Cluster) Timeout() time.Duration { return c.nodes.Timeout() }

// Node returns a node. It reports false for one that is not registered.
func (c *Cluster) Node(id nodeapi.NodeID) (registry.Node, bool) { return c.nodes.Node(id) }

// Nodes returns all nodes, ordered by id.
func (c *Cluster) Nodes() []registry.Node { return c.nodes.Nodes() }

// Page returns the first nodes, at most limit, whose ids come after one. It reports whether
// there are more.
func (c *Cluster) Page(after nodeapi.NodeID, limit int) ([]registry.Node, bool) {
	return c.nodes.Page(after, limit)
}

// Listed is Page for those nodes that are on the list of nodes by the policy.
func (c *Cluster) Listed(after nodeapi.NodeID, limit int) ([]registry.Node, bool) {
	return c.nodes.Listed(after, limit, c.clock.Now())
}

// Totals counts nodes and pools.
func (c *Cluster) Totals() registry.Totals { return c.nodes.Totals() }

// expired writes down which nodes have fallen silent, and which are forgotten. There is no
// request behind it.
func (c *Cluster) expired(changes []registry.Change) {
	for _, change := range changes {
		c.record(change)
		message := "node offline"
		if change.Node.Status == "" {
			message = "node forgotten"
		}
		c.log.LogAttrs(context.Background(), slog.LevelInfo, message, Attrs(change.Node)...)
	}
}

// record writes into the journal that a node has another status than before, if it has.
func (c *Cluster) record(change registry.Change) {
	if change.StatusChanged() {
		c.journal.Change(change.Node.Registration.NodeID, c.clock.Now(), change.Was, change.Node.Status)
	}
}

// Attrs is how log lines name a node (CLOUD-7020).
func Attrs(node registry.Node) []slog.Attr {
	return []slog.Attr{
		slog.String("node_id", node.Registration.NodeID),
		slog.String("machine_id", node.Registration.MachineID),
	}
}
