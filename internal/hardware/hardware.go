// Package hardware detects what a machine has: GPUs, CPU cores and memory. It needs no
// system library, so programs that import it can be linked statically.
package hardware

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Machine reads the hardware that the program runs on. The zero value is ready for use.
type Machine struct {
	// Root is the directory that stands for /, empty for / itself.
	Root string
	// NVIDIASMI is the program to ask for NVIDIA GPUs, empty for nvidia-smi as PATH finds it.
	NVIDIASMI string
	// NVML is asked for NVIDIA GPUs before the program is. Nil for none.
	NVML Source

	once    sync.Once
	reading chan struct{} // full while the hardware is being read
}

// Source asks a driver for its GPUs. What could be read is returned beside an error.
// ErrAbsent says that there is nobody to ask.
type Source func(ctx context.Context) (Driver, error)

// ErrAbsent is the error of a Source that the machine does not have.
var ErrAbsent = errors.New("not on this machine")

// Driver is what a driver says of itself and its GPUs.
type Driver struct {
	// CUDA is the version of CUDA that the driver supports, empty without.
	CUDA string
	// GPUs are in the driver's order.
	GPUs []GPU
}

// GPU is a GPU as its driver lists it.
type GPU struct {
	Device
	// Divided says that the GPU is in MIG mode: programs use its Parts, and not the whole.
	Divided bool
	Parts   []Device
}

// Device is what a program can compute on: a GPU, or a MIG instance of one.
type Device struct {
	// Number is the driver's number of the device. The parts of a GPU have none before
	// they are numbered.
	Number int32
	// UUID is the name by which CUDA_VISIBLE_DEVICES and its like know the device.
	UUID string
	Name string
	// Compute is what the device can compute, in its maker's terms; empty when unknown.
	Compute string
	// Total is its memory in bytes, 0 when unknown, and Free what is free of it, notKnown when that is.
	Total, Free int64
}

// notKnown is a Free that nothing states, since 0 is a device that is full.
const notKnown = -1

// free returns the free memory of the device, if it is known.
func (d Device) free() (bytes int64, known bool) {
	return d.Free, d.Total > 0 && d.Free >= 0 && d.Free <= d.Total // drivers make mistakes
}

// devices returns the devices that programs of this environment see, and the version of
// CUDA that they can use. One read at a time waits for a driver that hangs.
func (m *Machine) devices(ctx context.Context) (cuda string, found []Device, err error) {
	m.once.Do(func() { m.reading = make(chan struct{}, 1) })
	select {
	case m.reading <- struct{}{}:
	case <-ctx.Done():
		return "", nil, fmt.Errorf("the hardware is still being read: %w", context.Cause(ctx))
	}
	done := make(chan struct{})
	var read struct {
		cuda  string
		found []Device
		err   error
	}
	go func() {
		defer func() { <-m.reading }()
		read.cuda, read.found, read.err = m.readDevices(ctx)
		close(done)
	}()
	select {
	case <-done:
		return read.cuda, read.found, read.err
	case <-ctx.Done():
		return "", nil, fmt.Errorf("read the hardware: %w", context.Cause(ctx))
	}
}

func (m *Machine) readDevices(ctx context.Context) (cuda string, found []Device, err error) {
	nvidia, err := m.nvidia(ctx)
	amd := m.amd()
	next := number(nvidia.GPUs, 0)
	number(amd, next)
	found = visible(nvidia.GPUs, "CUDA_VISIBLE_DEVICES")
	found = append(found, visible(amd, "ROCR_VISIBLE_DEVICES")...)
	return nvidia.CUDA, found, err
}

// nvidia asks the first source of NVIDIA GPUs that the machine has.
func (m *Machine) nvidia(ctx context.Context) (Driver, error) {
	for _, source := range []Source{m.NVML, m.smi} {
		if source == nil {
			continue
		}
		driver, err := source(ctx)
		if !errors.Is(err, ErrAbsent) {
			return driver, err
		}
	}
	return Driver{}, nil
}

// number moves the numbers of the GPUs up to the first that is free, and gives their parts
// numbers behind them. It returns the next that is free.
func number(gpus []GPU, first int32) (next int32) {
	next = first
	for i := range gpus {
		gpus[i].Number += first
		next = max(next, gpus[i].Number+1)
	}
	for _, gpu := range gpus {
		for i := range gpu.Parts {
			gpu.Parts[i].Number = next
			next++
		}
	}
	return next
}
