//go:build linux && !android && (amd64 || arm64)

package capabilities

import (
	"github.com/ebitengine/purego"

	"github.com/llama-orch/node-registration/internal/hardware"
)

type (
	status int32                           // nvmlReturn_t
	device uintptr                         // nvmlDevice_t
	memory struct{ total, free, _ uint64 } // nvmlMemory_t
)

// library is what is used of NVML.
type library struct {
	initialize, shutdown func() status
	describeError        func(status) string
	cudaVersion          func(version *int32) status
	count                func(count *uint32) status
	byIndex              func(index uint32, found *device) status
	name, uuid           func(of device, text *byte, size uint32) status
	memory               func(of device, has *memory) status
	computeCapability    func(of device, major, minor *int32) status

	// Nil in drivers that are older than MIG.
	migMode    func(of device, now, later *uint32) status
	migCount   func(of device, most *uint32) status
	migByIndex func(of device, index uint32, found *device) status
}

// load loads the first of the files that is there. hardware.ErrAbsent says that none is.
func load(files []string) (*library, error) {
	for _, file := range files {
		handle, err := purego.Dlopen(file, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			continue
		}
		if lib := new(library); lib.bind(handle) == nil {
			return lib, nil
		}
	}
	return nil, hardware.ErrAbsent
}

func (l *library) bind(handle uintptr) error {
	for _, f := range []struct {
		symbol   string
		function any
	}{
		{"nvmlInit_v2", &l.initialize},
		{"nvmlShutdown", &l.shutdown},
		{"nvmlErrorString", &l.describeError},
		{"nvmlSystemGetCudaDriverVersion", &l.cudaVersion},
		{"nvmlDeviceGetCount_v2", &l.count},
		{"nvmlDeviceGetHandleByIndex_v2", &l.byIndex},
		{"nvmlDeviceGetName", &l.name},
		{"nvmlDeviceGetUUID", &l.uuid},
		{"nvmlDeviceGetMemoryInfo", &l.memory},
		{"nvmlDeviceGetCudaComputeCapability", &l.computeCapability},
	} {
		symbol, err := purego.Dlsym(handle, f.symbol)
		if err != nil {
			return err
		}
		purego.RegisterFunc(f.function, symbol)
	}
	mode, modeErr := purego.Dlsym(handle, "nvmlDeviceGetMigMode")
	count, countErr := purego.Dlsym(handle, "nvmlDeviceGetMaxMigDeviceCount")
	byIndex, indexErr := purego.Dlsym(handle, "nvmlDeviceGetMigDeviceHandleByIndex")
	if modeErr == nil && countErr == nil && indexErr == nil {
		purego.RegisterFunc(&l.migMode, mode)
		purego.RegisterFunc(&l.migCount, count)
		purego.RegisterFunc(&l.migByIndex, byIndex)
	}
	return nil
}
