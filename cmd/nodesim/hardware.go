package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/llama-orch/node-registration/internal/hardware"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// What a simulated machine is made of.
const (
	gpus          = 2
	gpuName       = "NVIDIA GeForce RTX 3090"
	vramPerGPU    = int64(24_000_000_000)
	ramBytes      = int64(128 << 30)
	slotsPerPool  = int32(4)
	slotsPerGPU   = int64(6) // that many fill its memory
	engine        = "llamacpp"
	model         = "llama-3-8b"
	cudaVersion   = "12.1"
	computeLevel  = "8.6"
	megabyteBytes = 1_000_000
)

// madeUp returns the capabilities of a simulated machine.
func madeUp() registration.Capabilities {
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

// detectionTime is how long a driver may take.
const detectionTime = 10 * time.Second

// detected returns the capabilities of this machine. Unlike pkg/capabilities it runs
// nvidia-smi and loads no driver library, so that nodesim stays a static program.
func detected(ctx context.Context, log *slog.Logger) registration.Capabilities {
	ctx, cancel := context.WithTimeout(ctx, detectionTime)
	defer cancel()
	c, err := new(hardware.Machine).Detect(ctx)
	if err != nil {
		log.Warn("the hardware could not be read as a whole", "error", err)
	}
	log.Info("this machine has", "gpus", c.GPUCount, "vram_mb", c.TotalVRAMMB, "cuda", c.CUDAVersion,
		"cores", c.CPUCores, "ram_bytes", c.RAMTotalBytes)
	return c
}

// load makes up the work on the pools of a node.
type load struct {
	pools []string
	busy  []int32 // slots in use, per pool
	vram  int64   // of a pool
}

// newLoad gives each pool an equal share of a machine's GPU memory.
func newLoad(pools []string, machine registration.Capabilities) *load {
	vram := int64(0)
	for _, gpu := range machine.GPUs {
		vram += gpu.VRAMTotalBytes
	}
	return &load{pools: pools, busy: make([]int32, len(pools)), vram: vram / int64(max(len(pools), 1))}
}

// status lets the load of each pool wander by a slot and reports it.
func (l *load) status(context.Context) ([]registration.PoolStatus, error) {
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

// moods returns the statuses through which the pools of a node go that change on
// purpose: free, busy, draining, and free again.
func moods(pools []string) [][]registration.PoolStatus {
	var free, busy, draining []registration.PoolStatus
	for _, id := range pools {
		last := poolStatus(id, slotsPerPool, vramPerGPU)
		free, busy = append(free, poolStatus(id, 0, vramPerGPU)), append(busy, last)
		last.Ready, last.Draining = false, true
		draining = append(draining, last)
	}
	return [][]registration.PoolStatus{free, busy, draining}
}
