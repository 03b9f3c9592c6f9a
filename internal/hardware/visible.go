package hardware

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// visible returns the devices that programs see: all of them, or those that a variable of the
// environment lists, in its order. The list ends at the first item that names no device, as it
// does for CUDA and ROCm. A variable that is set and empty hides all.
func visible(gpus []GPU, variable string) []Device {
	list, restricted := os.LookupEnv(variable)
	if !restricted {
		return usable(gpus)
	}
	var seen []Device
	for item := range strings.SplitSeq(list, ",") {
		device, ok := named(gpus, strings.TrimSpace(item))
		if !ok || slices.Contains(seen, device) {
			break
		}
		seen = append(seen, device)
	}
	return seen
}

// usable returns the devices that programs can use: GPUs, and the parts of divided ones.
func usable(gpus []GPU) (devices []Device) {
	for _, gpu := range gpus {
		if gpu.Divided {
			devices = append(devices, gpu.Parts...)
		} else {
			devices = append(devices, gpu.Device)
		}
	}
	return devices
}

// named returns the device that an item of a list names. It goes by the place of its GPU, or
// by a UUID or the beginning of one. Of a divided GPU that is its first part.
func named(gpus []GPU, item string) (Device, bool) {
	if place, err := strconv.Atoi(item); err == nil {
		if place < 0 || place >= len(gpus) {
			return Device{}, false
		}
		return first(usable(gpus[place : place+1]))
	}
	if !strings.HasPrefix(item, "GPU-") && !strings.HasPrefix(item, "MIG-") {
		return Device{}, false
	}
	var fitting []Device
	for i, gpu := range gpus {
		if strings.HasPrefix(gpu.UUID, item) {
			device, ok := first(usable(gpus[i : i+1]))
			if !ok {
				return Device{}, false
			}
			fitting = append(fitting, device)
		}
		for _, part := range gpu.Parts {
			if strings.HasPrefix(part.UUID, item) {
				fitting = append(fitting, part)
			}
		}
	}
	device, ok := first(fitting)
	return device, ok && len(fitting) == 1
}

func first(devices []Device) (Device, bool) {
	if len(devices) == 0 {
		return Device{}, false
	}
	return devices[0], true
}
