package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/llama-orch/node-registration/internal/hardware"
	"github.com/llama-orch/node-registration/pkg/registration"
)

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
