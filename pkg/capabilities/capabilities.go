// Package capabilities detects the GPUs, CPU cores and memory of a machine, so that nobody has to
// write down what a node can do:
//
//	config.Capabilities, err = capabilities.Detect(ctx)
//
// NVIDIA GPUs are read through the driver's library, which is loaded while the program runs,
// or through nvidia-smi where there is no such library. AMD GPUs are read through the kernel.
// On Linux the library needs glibc, and so does a program that imports this package, even one
// that is built without cgo. A program that does not import it stays static.
package capabilities

import (
	"context"
	"sync"

	"github.com/llama-orch/node-registration/internal/hardware"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// Detect returns what the machine that the program runs on can do. See [Machine.Detect].
func Detect(ctx context.Context) (registration.Capabilities, error) {
	return new(Machine).Detect(ctx)
}

// Machine is the machine on which the program runs. The zero value is ready for use. Its
// fields must not change after the first call; its methods may be called at the same time.
type Machine struct {
	// Root is the directory below which /sys, /proc and /dev are, such as that where a
	// container has the host's. Empty means /.
	Root string
	// NVML is the path of NVIDIA's library. Empty means libnvidia-ml.so.1 as the dynamic
	// linker finds it, or where containers, WSL and NixOS have it.
	NVML string
	// NVIDIASMI is the path of the program that is asked where the library is missing.
	// Empty means nvidia-smi as PATH finds it.
	NVIDIASMI string

	once    sync.Once
	machine hardware.Machine
}

// Detect returns the GPUs, cores and memory that the program may use. A machine without
// GPUs is no error.
//
//   - GPUs are those that CUDA_VISIBLE_DEVICES lists, in its order, or ROCR_VISIBLE_DEVICES
//     for AMD; all of them, if it is not set. Numbers count in the driver's order, which is
//     CUDA's if CUDA_DEVICE_ORDER is PCI_BUS_ID or the GPUs are alike.
//   - A GPU in MIG mode stands for its instances, which have numbers behind those of the
//     GPUs. AMD GPUs have numbers behind the NVIDIA ones.
//   - Cores and memory are the machine's, or those of the program's cgroup, version 2, if
//     that has less.
//
// An error lists what could not be read: the capabilities hold all the rest, and are always
// something that the contract allows. Detect returns when ctx ends. A driver that hangs
// holds one goroutine; further calls wait for that, and start no other.
func (m *Machine) Detect(ctx context.Context) (registration.Capabilities, error) {
	return m.hardware().Detect(ctx)
}

// FreeVRAM returns the free memory in bytes of the GPUs with these numbers, or of all GPUs if none is
// given. The numbers are DeviceIDs that Detect has returned. The result is for the VRAMFreeBytes of
// a PoolStatus. FreeVRAM takes milliseconds through the library while nvidia-persistenced or an engine keeps
// the GPUs awake, and a second through nvidia-smi. A number whose GPU is not there, or whose free
// memory is unknown, is an error. Without numbers, a GPU whose free memory is unknown counts as 0,
// and what could be read is returned beside an error.
func (m *Machine) FreeVRAM(ctx context.Context, gpus ...int32) (int64, error) {
	return m.hardware().FreeVRAM(ctx, gpus...)
}

func (m *Machine) hardware() *hardware.Machine {
	m.once.Do(func() {
		m.machine.Root, m.machine.NVIDIASMI = m.Root, m.NVIDIASMI
		m.machine.NVML = newNVML(m.NVML)
	})
	return &m.machine
}
