package registry

import (
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// WriteOff marks a node Offline, although it may be heard of. It stays so until it registers
// again, whatever the policy makes of its heartbeats. It reports false for a node that is not
// registered.
func (r *Registry) WriteOff(id nodeapi.NodeID, now time.Time) (Change, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.nodes[id]
	if rec == nil {
		return Change{}, false
	}
	return r.writeOff(rec, now), true
}

// WriteOffAll writes off all nodes, as a check for silent nodes does while the clock is wrong. It
// returns those that were not Offline, ordered by id.
func (r *Registry) WriteOffAll(now time.Time) []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changes []Change
	r.order.Ascend(func(rec *record) bool {
		if change := r.writeOff(rec, now); change.StatusChanged() {
			changes = append(changes, change)
		}
		return true
	})
	return changes
}

func (r *Registry) writeOff(rec *record, now time.Time) Change {
	return r.change(rec, nodeapi.NodeStatusOffline, now, func() {
		rec.WrittenOff = true
	})
}
