package registry

import (
	"maps"
	"strings"
	"time"

	"github.com/google/btree"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

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

// Listed is Page for those nodes that are on the list of nodes by the policy.
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

// Totals counts nodes, and pools.
type Totals struct {
	Nodes          map[nodeapi.NodeStatus]int // by status; without those that no node has
	PoolsAvailable int                        // pools of nodes that are Online which are ready and do not drain
}

// Totals returns the counts, which are kept up to date: the call costs next to nothing.
func (r *Registry) Totals() Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Totals{Nodes: maps.Clone(r.totals.Nodes), PoolsAvailable: r.totals.PoolsAvailable}
}

// order holds records by id.
type order struct{ *btree.BTreeG[*record] }

func newOrder() order {
	return order{btree.NewG(32, func(a, b *record) bool { return strings.Compare(a.id(), b.id()) < 0 })}
}

// after returns the first of the wanted nodes, at most limit, whose ids come after one, which
// need not be on record. It reports whether there are more.
func (o order) after(id nodeapi.NodeID, limit int, wanted func(*Node) bool) (nodes []Node, more bool) {
	nodes = make([]Node, 0, min(limit, o.Len()))
	from := &record{}
	from.Registration.NodeID = id
	o.AscendGreaterOrEqual(from, func(r *record) bool {
		switch {
		case r.id() == id, !wanted(&r.Node):
		case len(nodes) == limit:
			more = true
		default:
			nodes = append(nodes, r.Node)
		}
		return !more
	})
	return nodes, more
}

func (o order) all() []Node {
	nodes := make([]Node, 0, o.Len())
	o.Ascend(func(r *record) bool {
		nodes = append(nodes, r.Node)
		return true
	})
	return nodes
}
