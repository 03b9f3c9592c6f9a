package fleet

import (
	"context"
	"math/rand/v2"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// Load makes up the work on the pools of a node.
type Load struct {
	pools []string
	busy  []int32 // slots in use, per pool
	vram  int64   // of a pool
}

// NewLoad gives each pool an equal share of a machine's GPU memory.
func NewLoad(pools []string, machine registration.Capabilities) *Load {
	vram := int64(0)
	for _, gpu := range machine.GPUs {
		vram += gpu.VRAMTotalBytes
	}
	return &Load{pools: pools, busy: make([]int32, len(pools)), vram: vram / int64(max(len(pools), 1))}
}

// Status lets the load of each pool wander by a slot and reports it. It is a status callback.
func (l *Load) Status(context.Context) ([]registration.PoolStatus, error) {
	status := make([]registration.PoolStatus, len(l.pools))
	for i, id := range l.pools {
		l.busy[i] = min(max(l.busy[i]+rand.Int32N(3)-1, 0), slotsPerPool)
		status[i] = poolStatus(id, l.busy[i], l.vram)
	}
	return status, nil
}

// poolStatus returns the status of a pool with some of its slots in use.
func poolStatus(id string, busy int32, vram int64) registration.PoolStatus {
	return registration.PoolStatus{
		PoolID:          id,
		Ready:           true,
		SlotsFree:       slotsPerPool - busy,
		SlotsTotal:      slotsPerPool,
		VRAMFreeBytes:   vram - int64(busy)*(vram/slotsPerGPU),
		Engine:          engine,
		ModelsAvailable: []string{model},
	}
}

// phases returns the statuses through which the pools of a node go that change on
// purpose: free, busy, draining, and free again.
func phases(pools []string) [][]registration.PoolStatus {
	var free, busy, draining []registration.PoolStatus
	for _, id := range pools {
		last := poolStatus(id, slotsPerPool, vramPerGPU)
		free, busy = append(free, poolStatus(id, 0, vramPerGPU)), append(busy, last)
		last.Ready, last.Draining = false, true
		draining = append(draining, last)
	}
	return [][]registration.PoolStatus{free, busy, draining}
}
