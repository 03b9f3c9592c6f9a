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
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Registry holds the nodes of a cluster. It is safe for concurrent use. The times
// that it is told should not run backwards by more than concurrent calls make them.
type Registry struct {
	// One lock is enough: a heartbeat holds it for a tenth of a microsecond, and a
	// request takes more than a hundred times that.
	mu      sync.Mutex
	timeout time.Duration
	nodes   map[nodeapi.NodeID]*record
	order   order
	queue   queue
	totals  Totals
}

// Totals counts nodes, and pools.
type Totals struct {
	Nodes          map[nodeapi.NodeStatus]int // by status; without those that no node has
	PoolsAvailable int                        // pools of nodes that are Online which are ready and do not drain
}

// New returns an empty registry whose nodes go offline when they have not been heard
// of for timeout (CLOUD-2013).
func New(timeout time.Duration) *Registry {
	r := &Registry{timeout: timeout}
	r.clear()
	return r
}

// Register puts a node on record, or replaces its record (CLOUD-2004): the node
// starts anew as Registering, and of the pools only those that it still lists keep
// their last status. Its history goes on.
func (r *Registry) Register(registration nodeapi.RegisterRequest, now time.Time) Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[registration.NodeID]
	if rec == nil {
		rec = r.add(registration.NodeID)
	}
	return r.change(rec, nodeapi.NodeStatusRegistering, now, func() {
		rec.Registration = registration
		rec.RegisteredAt, rec.LastHeartbeat = now, time.Time{}
		rec.Pools = listed(rec.Pools, registration.Pools)
		r.hear(rec, now)
	})
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
	status := nodeapi.NodeStatusOnline
	if drains(beat.Pools) {
		status = nodeapi.NodeStatusDraining
	}
	return r.change(rec, status, now, func() {
		rec.LastHeartbeat = now
		rec.Pools = beat.Pools
		r.hear(rec, now)
	}), true
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
	r.order.remove(rec)
	r.queue.remove(rec)
	r.count(rec.Status, -1)
	r.totals.PoolsAvailable -= rec.offers()
	return rec.Node, true
}

// SetStatus gives a node a status, by hand. Offline and Failed it stays until it is heard
// of; with any other status it counts as just heard of. It reports false for a node that
// is not registered.
func (r *Registry) SetStatus(id nodeapi.NodeID, status nodeapi.NodeStatus, now time.Time) (Change, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[id]
	if rec == nil {
		return Change{}, false
	}
	return r.change(rec, status, now, func() {
		if !expires(status) {
			r.queue.remove(rec)
			return
		}
		r.hear(rec, now)
	}), true
}

// Expire marks the nodes offline that have not been heard of for the timeout
// (CLOUD-2013, CLOUD-2022) and returns them, the one that was heard of longest ago
// first. It costs time for the nodes that it returns, not for those that it keeps.
func (r *Registry) Expire(now time.Time) []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changes []Change
	for rec := r.queue.front; rec != nil && !now.Before(rec.Heard.Add(r.timeout)); rec = r.queue.front {
		changes = append(changes, r.change(rec, nodeapi.NodeStatusOffline, now, func() { r.queue.remove(rec) }))
	}
	return changes
}

// NextExpiry returns when Expire finds a node again, unless that node is heard of
// before. It reports false when there is no node to wait for.
func (r *Registry) NextExpiry() (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queue.front == nil {
		return time.Time{}, false
	}
	return r.queue.front.Heard.Add(r.timeout), true
}

// SetTimeout changes the timeout of all nodes at once.
func (r *Registry) SetTimeout(timeout time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timeout = timeout
}

// Load replaces all nodes. One that does not say when it was Heard of was when it last
// sent a heartbeat, or registered. One without a history has its status since now. Of
// several with one id the last one counts.
func (r *Registry) Load(nodes []Node, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
	for _, node := range nodes {
		rec := r.nodes[node.Registration.NodeID]
		if rec == nil {
			rec = r.add(node.Registration.NodeID)
		}
		if rec.Node = node; node.Heard.IsZero() {
			rec.Heard = latest(node.RegisteredAt, node.LastHeartbeat)
		}
		if rec.History = slices.Clip(node.History); rec.History == nil {
			rec.History = remembered(nil, Transition{At: now, To: node.Status})
		}
	}
	heard := slices.SortedFunc(maps.Values(r.nodes), func(a, b *record) int { return a.Heard.Compare(b.Heard) })
	for _, rec := range heard {
		r.count(rec.Status, +1)
		r.totals.PoolsAvailable += rec.offers()
		if expires(rec.Status) {
			r.queue.push(rec)
		}
	}
}

// Clear forgets all nodes.
func (r *Registry) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
}

// Node returns a node. It reports false for one that is not registered.
func (r *Registry) Node(id nodeapi.NodeID) (Node, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[id]
	if rec == nil {
		return Node{}, false
	}
	return rec.Node, true
}

// Nodes returns all nodes, the offline ones too, ordered by id.
func (r *Registry) Nodes() []Node {
	r.mu.Lock()
	defer r.mu.Unlock()
	return copied(r.order.all())
}

// Page returns the first nodes, at most limit, whose ids come after one, which need not be
// registered, ordered by id. It reports whether there are more. Page by page, one sees
// every node that is there throughout.
func (r *Registry) Page(after nodeapi.NodeID, limit int) (nodes []Node, more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rest := r.order.after(after)
	page := rest[:min(limit, len(rest))]
	return copied(page), len(page) < len(rest)
}

// Totals counts at no cost: the counts are kept.
func (r *Registry) Totals() Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Totals{Nodes: maps.Clone(r.totals.Nodes), PoolsAvailable: r.totals.PoolsAvailable}
}

// add makes room for a node that is not on record.
func (r *Registry) add(id nodeapi.NodeID) *record {
	rec := &record{}
	rec.Registration.NodeID = id
	r.nodes[id] = rec
	r.order.add(rec)
	return rec
}

// change gives a node a status, calls do for the rest, and keeps the history and the
// totals in step.
func (r *Registry) change(rec *record, status nodeapi.NodeStatus, now time.Time, do func()) Change {
	was, offered := rec.Status, rec.offers()
	rec.Status = status
	do()
	r.totals.PoolsAvailable += rec.offers() - offered
	if was != status {
		r.count(was, -1)
		r.count(status, +1)
		rec.History = remembered(rec.History, Transition{At: now, From: was, To: status})
	}
	return Change{Node: rec.Node, Was: was}
}

// count adds a node with a status to the totals, or takes it from them. One without a
// status is not on record.
func (r *Registry) count(status nodeapi.NodeStatus, by int) {
	if status == "" {
		return
	}
	if r.totals.Nodes[status] += by; r.totals.Nodes[status] == 0 {
		delete(r.totals.Nodes, status)
	}
}

func (r *Registry) hear(rec *record, now time.Time) {
	rec.Heard = now
	r.queue.push(rec)
}

func (r *Registry) clear() {
	r.nodes, r.order, r.queue = map[nodeapi.NodeID]*record{}, order{}, queue{}
	r.totals = Totals{Nodes: map[nodeapi.NodeStatus]int{}}
}

// expires reports whether a node with a status is expected to be heard of.
func expires(status nodeapi.NodeStatus) bool {
	return status != nodeapi.NodeStatusOffline && status != nodeapi.NodeStatusFailed
}

func copied(records []*record) []Node {
	nodes := make([]Node, len(records))
	for i, rec := range records {
		nodes[i] = rec.Node
	}
	return nodes
}
