package registry

import (
	"slices"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// record is the place of a node in the registry.
type record struct {
	Node
	gone          bool    // whether it is no longer on record
	queued        bool    // whether it is in the queue
	before, after *record // its neighbours there
}

func (r *record) id() nodeapi.NodeID { return r.Registration.NodeID }

// queue holds the records of the nodes that can expire, the one that was heard of longest
// ago in front. The timeout is the same for all, so this is also the order in which they
// expire, and finding those costs no search.
type queue struct{ front, back *record }

// push puts a record at the back, wherever it was before.
func (q *queue) push(r *record) {
	q.remove(r)
	r.queued, r.before = true, q.back
	if q.back == nil {
		q.front = r
	} else {
		q.back.after = r
	}
	q.back = r
}

func (q *queue) remove(r *record) {
	if !r.queued {
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
	r.queued, r.before, r.after = false, nil, nil
}

// order holds records by id. What was added since it was last asked for waits until it is
// asked for again, and what was removed stays until then, so that nodes which come and go
// pay for no sorting.
type order struct {
	sorted []*record
	added  []*record
	gone   int
}

func (o *order) add(r *record) {
	o.added = append(o.added, r)
	o.settleAbove(len(o.sorted))
}

func (o *order) remove(r *record) {
	r.gone = true
	o.gone++
	o.settleAbove(len(o.sorted))
}

// settleAbove settles the order if more is unsettled than count, and than is worth it. So
// it stays in bounds while nobody asks for it, at a cost that does not depend on its size.
func (o *order) settleAbove(count int) {
	if len(o.added)+o.gone > max(count, 1024) {
		o.settle()
	}
}

// all returns the records, for reading.
func (o *order) all() []*record {
	if len(o.added)+o.gone > 0 {
		o.settle()
	}
	return o.sorted
}

// settle merges what was added into what is sorted, and leaves out what is gone.
func (o *order) settle() {
	byID := func(a, b *record) int { return strings.Compare(a.id(), b.id()) }
	isGone := func(r *record) bool { return r.gone }
	sorted, added := o.sorted, o.added
	if o.gone > 0 {
		sorted, added = slices.DeleteFunc(sorted, isGone), slices.DeleteFunc(added, isGone)
	}
	slices.SortFunc(added, byID)
	if len(sorted) == 0 || len(added) > 0 && byID(sorted[len(sorted)-1], added[0]) < 0 {
		*o = order{sorted: append(sorted, added...)}
		return
	}
	merged := make([]*record, 0, len(sorted)+len(added))
	for len(sorted) > 0 && len(added) > 0 {
		if byID(sorted[0], added[0]) < 0 {
			merged, sorted = append(merged, sorted[0]), sorted[1:]
		} else {
			merged, added = append(merged, added[0]), added[1:]
		}
	}
	*o = order{sorted: append(append(merged, sorted...), added...)}
}

// after returns the records whose ids come after one, which need not be on record.
func (o *order) after(id nodeapi.NodeID) []*record {
	all := o.all()
	i, found := slices.BinarySearchFunc(all, id, func(r *record, id nodeapi.NodeID) int { return strings.Compare(r.id(), id) })
	if found {
		i++
	}
	return all[i:]
}

// latest returns the later one of two times.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
