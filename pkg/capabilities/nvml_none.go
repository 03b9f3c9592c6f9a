//go:build !linux || android || !(amd64 || arm64)

package capabilities

import "github.com/llama-orch/node-registration/internal/hardware"

// newNVML returns no source: nvidia-smi is asked on these systems.
func newNVML(string) hardware.Source { return nil }
