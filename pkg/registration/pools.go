package registration

import (
	"slices"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// PoolStatus is the state of one pool at one moment.
type PoolStatus struct {
	// PoolID names the pool.
	PoolID string
	// Ready says that the pool takes work.
	Ready bool
	// Draining says that the pool finishes its work and takes no more.
	Draining bool
	// SlotsFree is how many slots could take work now, of SlotsTotal. A SlotsTotal of zero
	// counts as unset: the pool has as many slots as are free.
	SlotsFree, SlotsTotal int32
	// VRAMFreeBytes is the free GPU memory.
	VRAMFreeBytes int64
	// Engine is the inference engine that the pool runs, empty when unknown.
	Engine string
	// ModelsAvailable are the models at hand, nil when unknown.
	ModelsAvailable []string
}

// wire states every field that an orchestratord in service insists on.
func (p PoolStatus) wire() nodeapi.PoolStatus {
	status := nodeapi.PoolStatus{
		PoolID:        p.PoolID,
		Ready:         p.Ready,
		Draining:      &p.Draining,
		SlotsFree:     p.SlotsFree,
		SlotsTotal:    &p.SlotsTotal,
		VRAMFreeBytes: &p.VRAMFreeBytes,
		Engine:        optional.Stated(p.Engine),
	}
	if p.ModelsAvailable != nil {
		models := slices.Clone(p.ModelsAvailable) // the caller's may change
		status.ModelsAvailable = &models
	}
	return status
}

// roster is which pools a node has and had. It belongs to the node's owner.
type roster struct {
	pools   []string
	retired []string // that it had before an update
}

// serve sets the pools of the node. Its former pools are retired: every heartbeat reports
// them as not ready, since an orchestratord that merges heartbeats never forgets a pool. The
// oldest are dropped where the contract does not allow so many in one heartbeat.
func (r *roster) serve(pools []string) {
	if slices.Equal(r.pools, pools) {
		return
	}
	isServed := func(id string) bool { return slices.Contains(pools, id) }
	r.retired = slices.DeleteFunc(append(r.retired, r.pools...), isServed)
	r.pools = pools
	for len(r.retired) > 0 {
		if all, _ := r.complete(nil); (nodeapi.HeartbeatRequest{Pools: all}).Validate() == nil {
			return
		}
		r.retired = r.retired[1:]
	}
}

// complete returns a status that names every pool of the node once, the retired ones as not
// ready. The error lists the contradictions in the given status.
func (r *roster) complete(given []nodeapi.PoolStatus) ([]nodeapi.PoolStatus, error) {
	var wrong faults
	all, found := make([]nodeapi.PoolStatus, 0, len(r.pools)+len(r.retired)), 0
	for _, id := range r.pools {
		i := slices.IndexFunc(given, func(p nodeapi.PoolStatus) bool { return p.PoolID == id })
		if i < 0 {
			all = append(all, PoolStatus{PoolID: id}.wire())
			continue
		}
		all = append(all, consistent(given[i], &wrong))
		found++
	}
	if len(given) > found {
		r.findStrangers(given, &wrong)
	}
	for _, id := range r.retired {
		all = append(all, PoolStatus{PoolID: id}.wire())
	}
	return all, wrong.err("the status contradicts itself or the registration")
}

// consistent resolves the contradictions in a pool's status, in favour of too little work
// rather than too much.
func consistent(p nodeapi.PoolStatus, wrong *faults) nodeapi.PoolStatus {
	if *p.SlotsTotal == 0 { // unset
		total := p.SlotsFree
		p.SlotsTotal = &total
	}
	if p.Ready && *p.Draining {
		wrong.add("pool %s is ready and draining", p.PoolID)
		p.Ready = false
	}
	if p.SlotsFree > *p.SlotsTotal {
		wrong.add("pool %s has %d free slots of %d", p.PoolID, p.SlotsFree, *p.SlotsTotal)
		p.SlotsFree = *p.SlotsTotal
	}
	return p
}

// findStrangers adds the pools that a status names twice or that the node does not have.
func (r *roster) findStrangers(given []nodeapi.PoolStatus, wrong *faults) {
	seen := make(map[string]bool, len(given))
	for _, p := range given {
		switch {
		case seen[p.PoolID]:
			wrong.add("pool %s is named twice", p.PoolID)
		case !slices.Contains(r.pools, p.PoolID):
			wrong.add("pool %s is not one of the node's", p.PoolID)
		}
		seen[p.PoolID] = true
	}
}

// notReady returns a status in which no pool takes work.
func notReady(pools []nodeapi.PoolStatus) []nodeapi.PoolStatus {
	pools = slices.Clone(pools)
	for i := range pools {
		pools[i].Ready, pools[i].SlotsFree = false, 0
	}
	return pools
}
