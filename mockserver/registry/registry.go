// Package registry is what an orchestratord knows of its nodes: who they are, how
// they are, and when they were last heard of. It is state and nothing else: it does
// no I/O and starts nothing, and callers pass the time in.
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

// Registry holds the nodes of a cluster. It is safe for concurrent use. The times passed to it
// should not run backwards by more than concurrent calls make them.
type Registry struct {
	// One lock is enough: a heartbeat holds it for a tenth of a microsecond, and a
	// request takes more than a hundred times that.
	mu          sync.Mutex
	policy      Policy
	timeout     time.Duration
	forgetAfter time.Duration // 0 for never
	limits      Limits
	nodes       map[nodeapi.NodeID]*record
	order       order
	audible     *queue // nodes that can fall silent, by when they were last heard of
	offline     *queue // nodes that are Offline, by since when
	bytes       int64  // that the records take, roughly
	bulkBytes   int64  // that the bulky ones among them take
	totals      Totals
	// left is the last status of the pools of nodes that are no longer on record, where the
	// policy keeps it.
	left map[nodeapi.NodeID][]nodeapi.PoolStatus
}

// Totals counts nodes, and pools.
type Totals struct {
	Nodes          map[nodeapi.NodeStatus]int // by status; without those that no node has
	PoolsAvailable int                        // pools of nodes that are Online which are ready and do not drain
}

// New returns an empty registry whose nodes go offline when they have not been heard
// of for timeout (CLOUD-2013). Its policy is that of the document.
func New(timeout time.Duration) *Registry {
	r := &Registry{timeout: timeout, policy: Document{}}
	r.clear()
	return r
}

// Register puts a node on record, or replaces its record (CLOUD-2004). The node starts anew as
// Registering. Which pools keep their last status is for the policy to say. Its history goes on.
// It is refused if that is beyond the limits.
func (r *Registry) Register(registration nodeapi.RegisterRequest, now time.Time) Change {
	return r.RegisterStated(registration, nil, now)
}

// RegisterStated is Register for a node that has left out capabilities that the document requires:
// see Node.Stated.
func (r *Registry) RegisterStated(
	registration nodeapi.RegisterRequest, stated *nodeapi.ReportedCapabilities, now time.Time,
) Change {
	bytes := registrationBytes(&registration)
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[registration.NodeID]
	if rec == nil {
		if err := r.roomForNode(bytes); err != nil {
			return Change{Refused: err}
		}
		rec = r.add(registration.NodeID)
		r.recall(rec)
	} else if err := r.room(rec.bytes(), rec.bytes()+bytes-rec.registrationBytes); err != nil {
		return rec.refused(err)
	}
	return r.change(rec, nodeapi.NodeStatusRegistering, now, func() {
		r.setRegistration(rec, registration, bytes)
		rec.Stated, rec.WrittenOff = stated, false
		rec.RegisteredAt, rec.LastHeartbeat = now, time.Time{}
		pools := r.policy.kept(rec.Pools, registration.Pools)
		r.setPools(rec, pools, poolsBytes(pools))
		r.hear(rec, now)
	})
}

// Heartbeat records a sign of life (CLOUD-2010). Which status that gives the node, and its
// pools, is for the policy to say. It reports false for a node that is not registered. It is
// refused if that is beyond the limits.
func (r *Registry) Heartbeat(id nodeapi.NodeID, beat nodeapi.HeartbeatRequest, now time.Time) (Change, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[id]
	if rec == nil {
		return Change{}, false
	}
	pools := r.policy.pools(rec.Pools, beat.Pools)
	bytes := poolsBytes(pools)
	if err := r.room(rec.bytes(), rec.bytes()+bytes-rec.poolsBytes); err != nil {
		return rec.refused(err), true
	}
	status := r.policy.afterHeartbeat(&rec.Node, pools)
	if rec.WrittenOff {
		status = nodeapi.NodeStatusOffline
	}
	return r.change(rec, status, now, func() {
		rec.LastHeartbeat = now
		r.setPools(rec, pools, bytes)
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
	r.remove(rec)
	r.keep(rec)
	return rec.Node, true
}

// SetStatus gives a node a status, by hand. With a status that expires it counts as just heard
// of. It reports false for a node that
// is not registered.
func (r *Registry) SetStatus(id nodeapi.NodeID, status nodeapi.NodeStatus, now time.Time) (Change, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[id]
	if rec == nil {
		return Change{}, false
	}
	return r.change(rec, status, now, func() {
		rec.WrittenOff = false
		if r.policy.expires(status) {
			rec.Heard = now
		}
		r.watch(rec)
	}), true
}

// Expire marks the nodes offline that have not been heard of for the timeout (CLOUD-2013,
// CLOUD-2022), and returns them, the most overdue first. Then it forgets the nodes that have
// been Offline for the time of SetForgetAfter, and returns them too, without a status. Its cost
// grows with the nodes that it returns, not with those that it keeps.
func (r *Registry) Expire(now time.Time) []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changes []Change
	looked := r.policy.checked(now)
	for rec := r.audible.front; rec != nil && !looked.Before(rec.Heard.Add(r.timeout)); rec = r.audible.front {
		changes = append(changes, r.change(rec, nodeapi.NodeStatusOffline, now, rec.leave))
	}
	for rec := r.offline.front; r.forgets(rec) && !now.Before(rec.since().Add(r.forgetAfter)); rec = r.offline.front {
		r.remove(rec)
		forgotten := Change{Node: rec.Node, Was: rec.Status}
		forgotten.Node.Status = ""
		changes = append(changes, forgotten)
	}
	return changes
}

// NextExpiry returns when Expire finds a node again, unless that node is heard of
// before. It reports false when there is no node to wait for.
func (r *Registry) NextExpiry() (next time.Time, waits bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec := r.audible.front; rec != nil {
		next, waits = r.policy.nextCheck(rec.Heard.Add(r.timeout)), true
	}
	if rec := r.offline.front; r.forgets(rec) {
		if at := rec.since().Add(r.forgetAfter); !waits || at.Before(next) {
			next, waits = at, true
		}
	}
	return next, waits
}

func (r *Registry) forgets(rec *record) bool { return rec != nil && r.forgetAfter > 0 }

// SetPolicy changes what the registry makes of what nodes send from now on. Nodes that are on
// record keep their status.
func (r *Registry) SetPolicy(policy Policy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.policy == policy {
		return
	}
	r.policy = policy
	if !policy.remembers() {
		r.forgetLeft()
	}
	r.watchAll(slices.Collect(maps.Values(r.nodes)))
}

// SetTimeout changes the timeout of all nodes at once.
func (r *Registry) SetTimeout(timeout time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timeout = timeout
}

// Timeout returns the timeout of nodes.
func (r *Registry) Timeout() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.timeout
}

// SetForgetAfter changes how long a node is Offline before it is forgotten. With 0 it never
// is.
func (r *Registry) SetForgetAfter(offline time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetAfter = offline
}

// Load replaces all nodes, whatever the limits. One that does not say when it was Heard of was when it last
// sent a heartbeat, or registered. One without a history has its status since now. Of
// several with one id the last one counts.
func (r *Registry) Load(nodes []Node, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear()
	for _, node := range nodes {
		r.load(node, now)
	}
	records := slices.Collect(maps.Values(r.nodes))
	r.watchAll(records)
	slices.SortFunc(records, func(a, b *record) int { return a.since().Compare(b.since()) })
	for _, rec := range records {
		r.count(rec.Status, +1)
		r.totals.PoolsAvailable += rec.offers()
		if rec.Status == nodeapi.NodeStatusOffline {
			r.offline.push(rec)
		}
	}
}

// load puts a node on record, but in no queue.
func (r *Registry) load(node Node, now time.Time) {
	rec := r.nodes[node.Registration.NodeID]
	if rec == nil {
		rec = r.add(node.Registration.NodeID)
	}
	if node.Heard.IsZero() {
		node.Heard = latest(node.RegisteredAt, node.LastHeartbeat)
	}
	if node.History = slices.Clip(node.History); len(node.History) == 0 {
		node.History = remembered(nil, Transition{At: now, To: node.Status})
	}
	rec.Node = node
	r.setRegistration(rec, node.Registration, registrationBytes(&node.Registration))
	r.setPools(rec, node.Pools, poolsBytes(node.Pools))
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
	return r.order.all()
}

// Listed is Page of those nodes that the list of nodes has by the policy.
func (r *Registry) Listed(after nodeapi.NodeID, limit int, now time.Time) (nodes []Node, more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.after(after, limit, func(node *Node) bool { return r.policy.lists(node, now) })
}

// Page returns the first nodes, at most limit, whose ids come after one, which need not be
// registered, ordered by id. It reports whether there are more. Page by page, one sees
// every node that is there throughout.
func (r *Registry) Page(after nodeapi.NodeID, limit int) (nodes []Node, more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.after(after, limit, func(*Node) bool { return true })
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
	r.order.ReplaceOrInsert(rec)
	r.resize(rec, 0)
	return rec
}

// remove takes a node off the record.
func (r *Registry) remove(rec *record) {
	delete(r.nodes, rec.id())
	r.order.Delete(rec)
	rec.leave()
	r.bytes -= rec.bytes()
	r.bulkBytes -= bulk(rec.bytes())
	r.count(rec.Status, -1)
	r.totals.PoolsAvailable -= rec.offers()
}

func (r *Registry) setRegistration(rec *record, registration nodeapi.RegisterRequest, bytes int64) {
	was := rec.bytes()
	rec.Registration, rec.registrationBytes = registration, bytes
	r.resize(rec, was)
}

func (r *Registry) setPools(rec *record, pools []nodeapi.PoolStatus, bytes int64) {
	was := rec.bytes()
	rec.Pools, rec.poolsBytes = pools, bytes
	r.resize(rec, was)
}

// refused returns the change that a call was refused to make.
func (r *record) refused(why error) Change {
	return Change{Node: r.Node, Was: r.Status, Refused: why}
}

// change gives a node a status, calls do for the rest, and keeps the history, the totals
// and those who are Offline in step.
func (r *Registry) change(rec *record, status nodeapi.NodeStatus, now time.Time, do func()) Change {
	was, offered := rec.Status, rec.offers()
	rec.Status = status
	do()
	r.totals.PoolsAvailable += rec.offers() - offered
	if was != status {
		r.count(was, -1)
		r.count(status, +1)
		rec.History = remembered(rec.History, Transition{At: now, From: was, To: status})
		if status == nodeapi.NodeStatusOffline {
			r.offline.push(rec)
		} else if rec.in == r.offline {
			rec.leave()
		}
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
	r.watch(rec)
}

// watch has a node that was just heard of waited for, if the policy says so.
func (r *Registry) watch(rec *record) {
	if r.policy.expires(rec.Status) {
		r.audible.push(rec)
	} else if rec.in == r.audible {
		rec.leave()
	}
}

// watchAll has all nodes waited for that the policy says, in the order of when they were heard of.
func (r *Registry) watchAll(records []*record) {
	slices.SortFunc(records, func(a, b *record) int { return a.Heard.Compare(b.Heard) })
	for _, rec := range records {
		r.watch(rec)
	}
}

func (r *Registry) clear() {
	r.nodes, r.order = map[nodeapi.NodeID]*record{}, newOrder()
	r.bytes, r.bulkBytes = 0, 0
	r.left = map[nodeapi.NodeID][]nodeapi.PoolStatus{}
	r.audible, r.offline = &queue{}, &queue{}
	r.totals = Totals{Nodes: map[nodeapi.NodeStatus]int{}}
}
