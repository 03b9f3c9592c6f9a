package registry

import (
	"maps"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Load replaces all nodes, whatever the limits. A node without Heard counts as heard of when it last sent
// a heartbeat or registered. One without a history has had its status since now. Of several with
// one id the last one counts.
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

// load puts a node on record, but neither in a queue nor in the totals.
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

func (r *Registry) clear() {
	r.nodes, r.order = map[nodeapi.NodeID]*record{}, newOrder()
	r.bytes, r.bulkBytes = 0, 0
	r.left = map[nodeapi.NodeID][]nodeapi.PoolStatus{}
	r.audible, r.offline = &queue{}, &queue{}
	r.totals = Totals{Nodes: map[nodeapi.NodeStatus]int{}}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
