package registry

// keep keeps the status of the pools of a node that is no longer on record, where the policy
// does so.
func (r *Registry) keep(rec *record) {
	if r.policy.remembers() && len(rec.Pools) > 0 {
		r.left[rec.id()] = rec.Pools
		r.bytes += rec.poolsBytes
	}
}

// recall gives the status of its pools back to a node that is on record again.
func (r *Registry) recall(rec *record) {
	if pools, known := r.left[rec.id()]; known {
		bytes := poolsBytes(pools)
		r.bytes -= bytes
		delete(r.left, rec.id())
		r.setPools(rec, pools, bytes)
	}
}

func (r *Registry) forgetLeft() {
	for _, pools := range r.left {
		r.bytes -= poolsBytes(pools)
	}
	clear(r.left)
}
