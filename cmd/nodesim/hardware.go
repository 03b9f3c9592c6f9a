package main

import (
	"context"
	"math/rand/v2"
	"runtime"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// What a simulated machine is made of.
const (
	gpus          = 2
	gpuName       = "NVIDIA GeForce RTX 3090"
	vramPerGPU    = int64(24_000_000_000)
	ramBytes      = int64(128 << 30)
	slotsPerPool  = int32(4)
	vramPerSlot   = int64(4_000_000_000)
	engine        = "llamacpp"
	model         = "llama-3-8b"
	cudaVersion   = "12.1"
	computeLevel  = "8.6"
	megabyteBytes = 1_000_000
)

// hardware makes up a machine and the load on its pools.
type hardware struct {
	pools []string
	busy  []int32 // slots in use, per pool
}

func newHardware(pools []string) *hardware {
	return &hardware{pools: pools, busy: make([]int32, len(pools))}
}

func (h *hardware) capabilities() registration.Capabilities {
	c := registration.Capabilities{
		GPUCount:      gpus,
		TotalVRAMMB:   gpus * vramPerGPU / megabyteBytes,
		CUDAVersion:   cudaVersion,
		CPUCores:      int32(runtime.NumCPU()),
		RAMTotalBytes: ramBytes,
	}
	for id := range int32(gpus) {
		c.GPUs = append(c.GPUs, registration.GPU{DeviceID: id, Name: gpuName, VRAMTotalBytes: vramPerGPU, ComputeCapability: computeLevel})
	}
	return c
}

// status lets the load of each pool wander by a slot and reports it.
func (h *hardware) status(context.Context) ([]registration.PoolStatus, error) {
	status := make([]registration.PoolStatus, len(h.pools))
	for i, id := range h.pools {
		h.busy[i] = min(max(h.busy[i]+rand.Int32N(3)-1, 0), slotsPerPool)
		status[i] = poolStatus(id, h.busy[i])
	}
	return status, nil
}

// poolStatus returns the status of a pool with some of its slots in use.
func poolStatus(id string, busy int32) registration.PoolStatus {
	return registration.PoolStatus{
		PoolID:          id,
		Ready:           true,
		SlotsFree:       slotsPerPool - busy,
		SlotsTotal:      slotsPerPool,
		VRAMFreeBytes:   vramPerGPU - int64(busy)*vramPerSlot,
		Engine:          engine,
		ModelsAvailable: []string{model},
	}
}

// moods returns the statuses through which the pools of a node go that change on
// purpose: free, busy, draining, and free again.
func moods(pools []string) [][]registration.PoolStatus {
	var free, busy, draining []registration.PoolStatus
	for _, id := range pools {
		last := poolStatus(id, slotsPerPool)
		free, busy = append(free, poolStatus(id, 0)), append(busy, last)
		last.Ready, last.Draining = false, true
		draining = append(draining, last)
	}
	return [][]registration.PoolStatus{free, busy, draining}
}
