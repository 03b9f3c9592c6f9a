package hardware

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

const megabyte = 1_000_000

// unknown stands for what a driver does not say, where the contract insists on an answer.
const unknown = "unknown"

// Detect returns what the machine can do. What could be read is returned beside an
// error, and is always something that the contract allows.
func (m *Machine) Detect(ctx context.Context) (registration.Capabilities, error) {
	cuda, devices, err := m.devices(ctx)
	cores, memory := m.system()
	c := registration.Capabilities{CPUCores: int32(cores), RAMTotalBytes: memory, CUDAVersion: cuda}
	if allowed(c) != nil {
		c.CUDAVersion = "" // N/A
	}
	return c, errors.Join(err, addGPUs(&c, devices))
}

// addGPUs adds the devices that the contract allows, each alone and all together.
func addGPUs(c *registration.Capabilities, devices []Device) error {
	var wrong []error
	var gpus []registration.GPU
	for _, device := range devices {
		gpu := device.gpu()
		if err := allowed(registration.Capabilities{GPUs: []registration.GPU{gpu}}); err != nil {
			wrong = append(wrong, fmt.Errorf("GPU %d, %s, is left out: %w", gpu.DeviceID, gpu.Name, err))
			continue
		}
		gpus = append(gpus, gpu)
	}
	with := func(gpus []registration.GPU) registration.Capabilities {
		c := *c
		c.GPUs, c.GPUCount = gpus, int32(len(gpus))
		for _, gpu := range gpus {
			c.TotalVRAMMB += gpu.VRAMTotalBytes / megabyte
		}
		return c
	}
	fitting := sort.Search(len(gpus), func(n int) bool { return allowed(with(gpus[:n+1])) != nil })
	if fitting < len(gpus) {
		err := allowed(with(gpus))
		wrong = append(wrong, fmt.Errorf("%d GPUs are left out: %w", len(gpus)-fitting, err))
	}
	*c = with(gpus[:fitting])
	return errors.Join(wrong...)
}

// gpu returns a device in the words of the contract.
func (d Device) gpu() registration.GPU {
	gpu := registration.GPU{
		DeviceID: d.Number, Name: shorten(d.Name), VRAMTotalBytes: d.Total, ComputeCapability: unknown,
	}
	known := gpu
	known.ComputeCapability = d.Compute
	if allowed(registration.Capabilities{GPUs: []registration.GPU{known}}) == nil {
		return known
	}
	return gpu
}

// shorten returns a driver's name of a product, safe to show and cut to the length that the
// contract allows.
func shorten(name string) string {
	letters := []rune(foreign.Line(strings.TrimSpace(name)))
	tooLong := func(n int) bool {
		gpu := registration.GPU{Name: string(letters[:n+1]), ComputeCapability: unknown}
		return allowed(registration.Capabilities{GPUs: []registration.GPU{gpu}}) != nil
	}
	if n := sort.Search(len(letters), tooLong); n > 0 {
		return string(letters[:n])
	}
	return unknown
}

// allowed returns what the contract has against capabilities.
func allowed(c registration.Capabilities) error {
	request := nodeapi.RegisterRequest{Capabilities: nodeapi.NodeCapabilities{
		GPUCount: c.GPUCount, TotalVRAMMB: c.TotalVRAMMB, CUDAVersion: c.CUDAVersion, Gpus: &c.GPUs,
		CPUCores: &c.CPUCores, RAMTotalBytes: &c.RAMTotalBytes,
	}}
	var wrong []string
	for _, v := range request.Validate() {
		if field, ours := strings.CutPrefix(v.Pointer, "/capabilities/"); ours {
			wrong = append(wrong, field+" "+v.Detail)
		}
	}
	if wrong == nil {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

// FreeVRAM returns the free memory, in bytes, of the devices with these numbers, or of all
// if none is named. A named device that is not there, or whose free memory is unknown, is an error.
// Without names, one whose free memory is unknown counts as 0, and what could be read is returned
// beside an error.
func (m *Machine) FreeVRAM(ctx context.Context, numbers ...int32) (sum int64, err error) {
	_, devices, err := m.devices(ctx)
	if len(numbers) == 0 {
		for _, device := range devices {
			if free, known := device.free(); known {
				sum += free
			}
		}
		return sum, err
	}
	for _, number := range slices.Compact(slices.Sorted(slices.Values(numbers))) {
		i := slices.IndexFunc(devices, func(d Device) bool { return d.Number == number })
		if i < 0 {
			return 0, cmp.Or(err, fmt.Errorf("there is no GPU %d", number))
		}
		free, known := devices[i].free()
		if !known {
			return 0, fmt.Errorf("the free memory of GPU %d is unknown", number)
		}
		sum += free
	}
	return sum, nil
}
