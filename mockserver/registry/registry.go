// Package registry is what an orchestratord knows of its nodes: who they are, how
// they are, and when they were last heard of. It is state and nothing else: it does
// no I/O, starts nothing, and is told the time.
//
//	nodes := registry.New(30 * time.Second)
//	nodes.Register(registration, time.Now())
//	nodes.Heartbeat(registration.NodeID, beat, time.Now())
//	for _, change := range nodes.Expire(time.Now()) {
//		fmt.Println(change.Node.Registration.NodeID, "is offline")
//	}
package registry

import (
	"cmp"
	"container/list"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Registry holds the nodes of a cluster. It is safe for concurrent use. The times
// that it is told should not run backwards by more than concurrent calls make them.
type Registry struct {
	timeout time.Duration

	mu    sync.Mutex
	nodes map[nodeapi.NodeID]*record
	// heard holds the records of all nodes but the offline ones, the one that was
	// heard of longest ago in front. The timeout is the same for all, so this is
	// also the order in which they expire, and finding those costs no search.
	heard *list.List
}

// New returns an empty registry whose nodes go offline when they have not been heard
// of for timeout (CLOUD-2013).
func New(timeout time.Duration) *Registry {
	return &Registry{timeout: timeout, nodes: map[nodeapi.NodeID]*record{}, heard: list.New()}
}

// Register puts a node on record, or replaces its record (CLOUD-2004): the node
// starts anew as Registering, and of the pools only those that it still lists keep
// their last status.
func (r *Registry) Register(registration nodeapi.RegisterRequest, now time.Time) Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[registration.NodeID]
	if rec == nil {
		rec = &record{}
		r.nodes[registration.NodeID] = rec
	}
	was := rec.Status
	rec.Node = Node{
		Registration: registration,
		Status:       nodeapi.NodeStatusRegistering,
		RegisteredAt: now,
		Pools:        listed(rec.Pools, registration.Pools),
	}
	r.hear(rec, now)
	return Change{Node: rec.Node, Was: was}
}

// Heartbeat records a sign of life (CLOUD-2010). The node is Draining when it reports
// pools and all of them drain, and Online otherwise, also when it was Offline. It
// reports false for a node that is not registered.
func (r *Registry) Heartbeat(id nodeapi.NodeID, beat nodeapi.HeartbeatRequest, now time.Time) (Change, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[id]
	if rec == nil {
		return Change{}, false
	}
	was := rec.Status
	rec.Status = nodeapi.NodeStatusOnline
	if drains(beat.Pools) {
		rec.Status = nodeapi.NodeStatusDraining
	}
	rec.LastHeartbeat = now
	rec.Pools = beat.Pools
	r.hear(rec, now)
	return Change{Node: rec.Node, Was: was}, true
}

// Deregister forgets a node (CLOUD-2021) and returns what was known of it last. It
// reports false for a node that is not registered.
func (r *Registry) Deregister(id nodeapi.NodeID) (Node, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[id]
	if rec == nil {
		return Node{}, false
	}
	delete(r.nodes, id)
	r.lose(rec)
	return rec.Node, true
}

// Expire marks the nodes offline that have not been heard of for the timeout
// (CLOUD-2013, CLOUD-2022) and returns them, the one that was heard of longest ago
// first. It costs time for the nodes that it returns, not for those that it keeps.
func (r *Registry) Expire(now time.Time) []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changes []Change
	for front := r.heard.Front(); front != nil; front = r.heard.Front() {
		rec := front.Value.(*record)
		if now.Before(rec.heard.Add(r.timeout)) {
			break
		}
		was := rec.Status
		rec.Status = nodeapi.NodeStatusOffline
		r.lose(rec)
		changes = append(changes, Change{Node: rec.Node, Was: was})
	}
	return changes
}

// NextExpiry returns when Expire finds a node again, unless that node is heard of
// before. It reports false when there is no node to wait for.
func (r *Registry) NextExpiry() (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	front := r.heard.Front()
	if front == nil {
		return time.Time{}, false
	}
	return front.Value.(*record).heard.Add(r.timeout), true
}

// Nodes returns all nodes, the offline ones too, ordered by id.
func (r *Registry) Nodes() []Node {
	r.mu.Lock()
	nodes := make([]Node, 0, len(r.nodes))
	for rec := range maps.Values(r.nodes) {
		nodes = append(nodes, rec.Node)
	}
	r.mu.Unlock()
	slices.SortFunc(nodes, func(a, b Node) int {
		return cmp.Compare(a.Registration.NodeID, b.Registration.NodeID)
	})
	return nodes
}

// record is the place of a node in the registry.
type record struct {
	Node
	heard time.Time     // when the node last gave a sign of itself
	place *list.Element // in Registry.heard, nil while the node is offline
}

func (r *Registry) hear(rec *record, now time.Time) {
	rec.heard = now
	if rec.place == nil {
		rec.place = r.heard.PushBack(rec)
		return
	}
	r.heard.MoveToBack(rec.place)
}

func (r *Registry) lose(rec *record) {
	if rec.place != nil {
		r.heard.Remove(rec.place)
		rec.place = nil
	}
}
