package fleet

import (
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
	slotsPerGPU   = int64(6) // that many fill its memory
	engine        = "llamacpp"
	model         = "llama-3-8b"
	cudaVersion   = "12.1"
	computeLevel  = "8.6"
	megabyteBytes = 1_000_000
)

// MadeUp returns the capabilities of a simulated machine.
func MadeUp() registration.Capabilities {
	c := registration.Capabilities{
		GPUCount:      gpus,
		TotalVRAMMB:   gpus * vramPerGPU / megabyteBytes,
		CUDAVersion:   cudaVersion,
		CPUCores:      int32(runtime.NumCPU()),
		RAMTotalBytes: ramBytes,
	}
	for id := range int32(gpus) {
		c.GPUs = append(c.GPUs, registration.GPU{
			DeviceID: id, Name: gpuName, VRAMTotalBytes: vramPerGPU, ComputeCapability: computeLevel,
		})
	}
	return c
}
