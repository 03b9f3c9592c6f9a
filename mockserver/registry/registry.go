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
	audible     *queue // nodes that can fall silent, the one heard of longest ago in front
	offline     *queue // nodes that are Offline, the one that is so for longest in front
	bytes       int64  // that the records take, roughly
	bulkBytes   int64  // that the bulky ones among them take
	totals      Totals
	// left is the last status of the pools of nodes that are no longer on record, where the
	// policy keeps it.
	left map[nodeapi.NodeID][]nodeapi.PoolStatus
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
	return rec.Node, true
}

// SetStatus gives a node a status, by hand. With a status that expires it counts as just heard
// of. It reports false for a node that is not registered.
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

// add makes room for a node that is not on record.
func (r *Registry) add(id nodeapi.NodeID) *record {
	rec := &record{}
	rec.Registration.NodeID = id
	r.nodes[id] = rec
	r.order.ReplaceOrInsert(rec)
	r.resize(rec, 0)
	return rec
}

// remove takes a node off the record, in whichever way it leaves.
func (r *Registry) remove(rec *record) {
	delete(r.nodes, rec.id())
	r.order.Delete(rec)
	rec.leave()
	r.bytes -= rec.bytes()
	r.bulkBytes -= bulk(rec.bytes())
	r.count(rec.Status, -1)
	r.totals.PoolsAvailable -= rec.offers()
	r.keep(rec)
}

// keep keeps the status of the pools of a node that has left, if the policy remembers it.
func (r *Registry) keep(rec *record) {
	if r.policy.remembers() && len(rec.Pools) > 0 {
		r.left[rec.id()] = rec.Pools
		r.bytes += rec.poolsBytes
	}
}

// recall gives the status of its pools, if it is kept, back to a node that is on record again.
func (r *Registry) recall(rec *record) {
	pools := r.left[rec.id()]
	bytes := poolsBytes(pools)
	r.bytes -= bytes
	delete(r.left, rec.id())
	r.setPools(rec, pools, bytes)
}

func (r *Registry) forgetLeft() {
	for _, pools := range r.left {
		r.bytes -= poolsBytes(pools)
	}
	clear(r.left)
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

// refused returns the change of a call that was refused and did nothing.
func (r *record) refused(why error) Change {
	return Change{Node: r.Node, Was: r.Status, Refused: why}
}

// change gives a node a status and calls do for the rest. It keeps the history, the totals and the queue
// of the nodes that are Offline in step.
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
