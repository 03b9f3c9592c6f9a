package registration

import (
	"slices"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// GPU is one GPU of a node.
type GPU = nodeapi.GPU

// Capabilities say what a node can do.
type Capabilities struct {
	// GPUCount is the number of GPUs.
	GPUCount int32
	// TotalVRAMMB is the memory of all GPUs together, in megabytes.
	TotalVRAMMB int64
	// CUDAVersion is the version that the driver offers, such as "12.1"; empty
	// where there is no CUDA.
	CUDAVersion string
	// GPUs are the GPUs one by one.
	GPUs []GPU
	// CPUCores is the number of CPU cores, 0 when unknown.
	CPUCores int32
	// RAMTotalBytes is the main memory, 0 when unknown.
	RAMTotalBytes int64
}

// wire states the GPUs even when there are none: an orchestratord in service
// refuses a registration without the list.
func (c Capabilities) wire() nodeapi.NodeCapabilities {
	gpus := append([]GPU{}, c.GPUs...)
	return nodeapi.NodeCapabilities{
		GPUCount:      c.GPUCount,
		TotalVRAMMB:   c.TotalVRAMMB,
		CUDAVersion:   c.CUDAVersion,
		Gpus:          &gpus,
		CPUCores:      unlessZero(c.CPUCores),
		RAMTotalBytes: unlessZero(c.RAMTotalBytes),
	}
}

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
		Engine:        unlessZero(p.Engine),
	}
	if p.ModelsAvailable != nil {
		models := slices.Clone(p.ModelsAvailable) // the caller's may change
		status.ModelsAvailable = &models
	}
	return status
}

func unlessZero[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}
