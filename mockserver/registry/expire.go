package registry

import (
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

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

// ExpiresAt returns when Expire will mark a node offline, unless it is heard of before. It reports false for
// one that stays as it is, however silent.
func (r *Registry) ExpiresAt(node Node) (at time.Time, expires bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.policy.nextCheck(node.Heard.Add(r.timeout)), r.policy.expires(node.Status)
}

// NextExpiry returns when Expire will have something to do, unless the node concerned is heard of before.
// It reports false when there is no such node.
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

func (r *Registry) hear(rec *record, now time.Time) {
	rec.Heard = now
	r.watch(rec)
}

// watch puts a node that was just heard of behind the others that can fall silent, if its status expires
// by the policy.
func (r *Registry) watch(rec *record) {
	if r.policy.expires(rec.Status) {
		r.audible.push(rec)
	} else if rec.in == r.audible {
		rec.leave()
	}
}

// watchAll is watch for all nodes, in the order in which they were heard of.
func (r *Registry) watchAll(records []*record) {
	slices.SortFunc(records, func(a, b *record) int { return a.Heard.Compare(b.Heard) })
	for _, rec := range records {
		r.watch(rec)
	}
}
