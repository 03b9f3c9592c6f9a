package registry

import (
	"time"

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

// queue holds nodes with a deadline, such as their timeout. The wait is equally long for all of them,
// so the one in front is due first. It takes no search to find those that are due.
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
