//go:build linux && !android && (amd64 || arm64)

package capabilities

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/hardware"
)

// newNVML returns the source of what NVIDIA's library says. An empty file means the
// usual ones.
func newNVML(file string) hardware.Source {
	files := []string{
		"libnvidia-ml.so.1",
		"/usr/local/nvidia/lib64/libnvidia-ml.so.1", // containers whose host mounts its driver
		"/usr/lib/wsl/lib/libnvidia-ml.so.1",        // Windows Subsystem for Linux
		"/run/opengl-driver/lib/libnvidia-ml.so.1",  // NixOS
	}
	if file != "" {
		files = []string{file}
	}
	var loaded *library
	return func(context.Context) (driver hardware.Driver, err error) {
		if loaded == nil {
			if loaded, err = load(files); err != nil {
				return driver, err
			}
		}
		return loaded.driver()
	}
}

// What NVML functions return.
const (
	success         status = 0
	notSupported    status = 3
	noPermission    status = 4
	notFound        status = 6
	driverNotLoaded status = 9
)

// mostDevices is far more than a machine has GPUs, or a GPU instances.
const mostDevices = 4096

// driver reads everything afresh: the library is initialized for that long only, so that a
// driver may be replaced while the program runs.
func (l *library) driver() (driver hardware.Driver, err error) {
	switch s := l.initialize(); s {
	case success:
		defer l.shutdown()
	case driverNotLoaded:
		return driver, nil
	default:
		return driver, l.fault("NVML does not start", s)
	}
	if version := int32(0); l.cudaVersion(&version) == success && version > 0 {
		driver.CUDA = fmt.Sprintf("%d.%d", version/1000, version%1000/10)
	}
	count := uint32(0)
	if s := l.count(&count); s != success {
		return driver, l.fault("NVML does not count the GPUs", s)
	}
	var wrong []error
	for i := range min(count, mostDevices) {
		gpu, s := l.gpu(i)
		switch s {
		case success:
			driver.GPUs = append(driver.GPUs, gpu)
		case noPermission: // it is not for this container
		default:
			wrong = append(wrong, l.fault(fmt.Sprintf("GPU %d is left out", i), s))
		}
	}
	return driver, errors.Join(wrong...)
}

func (l *library) gpu(index uint32) (gpu hardware.GPU, s status) {
	var handle device
	if s = l.byIndex(index, &handle); s != success {
		return gpu, s
	}
	if gpu.Device, s = l.describe(handle); s != success {
		return gpu, s
	}
	gpu.Number = int32(index)
	var major, minor int32
	if l.computeCapability(handle, &major, &minor) == success && major > 0 {
		gpu.Compute = fmt.Sprintf("%d.%d", major, minor)
	}
	gpu.Divided, gpu.Parts = l.instances(handle, gpu.Device)
	return gpu, success
}

// instances returns whether a GPU is in MIG mode, and the instances that it has then.
func (l *library) instances(gpu device, whole hardware.Device) (divided bool, parts []hardware.Device) {
	if l.migMode == nil { // the driver is older than MIG
		return false, nil
	}
	var now, later, most uint32
	if l.migMode(gpu, &now, &later) != success || now == 0 {
		return false, nil
	}
	l.migCount(gpu, &most) // none, if it fails
	for i := range min(most, mostDevices) {
		var handle device
		if l.migByIndex(gpu, i, &handle) != success {
			continue // the place is free
		}
		if part, s := l.describe(handle); s == success {
			part.Compute = whole.Compute
			parts = append(parts, part)
		}
	}
	return true, parts
}

// describe reads what GPUs and their instances have in common.
func (l *library) describe(handle device) (d hardware.Device, s status) {
	name, uuid := make([]byte, 96), make([]byte, 96) // NVML's own sizes
	if s := l.name(handle, &name[0], uint32(len(name))); s != success {
		return d, s
	}
	if s := l.uuid(handle, &uuid[0], uint32(len(uuid))); s != success {
		return d, s
	}
	var has memory
	if s := l.memory(handle, &has); s != success && s != notSupported { // it shares that of the CPU
		return d, s
	}
	return hardware.Device{Name: text(name), UUID: text(uuid), Total: int64(has.total), Free: int64(has.free)}, success
}

// text returns what a buffer holds up to its end or the first NUL.
func text(buffer []byte) string {
	before, _, _ := bytes.Cut(buffer, []byte{0})
	return string(before)
}

func (l *library) fault(what string, s status) error {
	return fmt.Errorf("%s: %s (%d)", what, foreign.Line(l.describeError(s)), s)
}
