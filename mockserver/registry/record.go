package registry

import (
	"strings"
	"time"

	"github.com/google/btree"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// record is the place of a node in the registry.
type record struct {
	Node
	registrationBytes, poolsBytes int64 // what Registration and Pools take in memory

	in            *queue  // that it is in; nil if it is in none
	before, after *record // its neighbours there
}

func (r *record) id() nodeapi.NodeID { return r.Registration.NodeID }

// since returns since when the node has had its status.
func (r *record) since() time.Time { return r.History[len(r.History)-1].At }

// queue holds the records of nodes that wait for the same thing to happen to them, the one
// in front to which it happens first. The wait is as long for all, so that is the one that
// waits the longest, and finding those whose time has come costs no search.
type queue struct{ front, back *record }

// push puts a record at the back, wherever it was before.
func (q *queue) push(r *record) {
	r.leave()
	r.in, r.before = q, q.back
	if q.back == nil {
		q.front = r
	} else {
		q.back.after = r
	}
	q.back = r
}

// leave takes a record out of the queue that it is in, if any.
func (r *record) leave() {
	q := r.in
	if q == nil {
		return
	}
	if r.before == nil {
		q.front = r.after
	} else {
		r.before.after = r.after
	}
	if r.after == nil {
		q.back = r.before
	} else {
		r.after.before = r.before
	}
	r.in, r.before, r.after = nil, nil, nil
}

// order holds records by id.
type order struct{ *btree.BTreeG[*record] }

func newOrder() order {
	return order{btree.NewG(32, func(a, b *record) bool { return strings.Compare(a.id(), b.id()) < 0 })}
}

// after returns the first of the wanted records, at most limit, whose ids come after one, which
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

// all returns all nodes.
func (o order) all() []Node {
	nodes := make([]Node, 0, o.Len())
	o.Ascend(func(r *record) bool {
		nodes = append(nodes, r.Node)
		return true
	})
	return nodes
}

// latest returns the later one of two times.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
