//go:build linux && !android && (amd64 || arm64)

package capabilities_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/pkg/capabilities"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// withNVML returns a machine whose NVIDIA library is built from testdata/nvml.c.
func withNVML(t *testing.T, scenario string, flags ...string) *capabilities.Machine {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("there is no C compiler, cc, to build a library with")
	}
	m := machine("plain")
	m.NVML = filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	args := append(flags, "-DSCENARIO="+scenario, "-shared", "-fPIC", "-o", m.NVML, "testdata/nvml.c")
	if output, err := exec.CommandContext(t.Context(), compiler, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return m
}

func TestNVML(t *testing.T) {
	for scenario, want := range map[string]struct {
		cuda  string
		gpus  []registration.GPU
		free  int64
		wrong []string
	}{
		"TWO": {cuda: "12.4", gpus: []registration.GPU{
			{DeviceID: 0, Name: "NVIDIA GeForce RTX 3090", VRAMTotalBytes: 24 * gib, ComputeCapability: "8.6"},
			{DeviceID: 1, Name: "NVIDIA H100 80GB HBM3", VRAMTotalBytes: 80 * gib, ComputeCapability: "9.0"},
		}, free: 99 * gib},
		"MIG": {cuda: "12.4", gpus: []registration.GPU{
			{
				DeviceID: 2, Name: "NVIDIA A100-SXM4-40GB MIG 3g.20gb", VRAMTotalBytes: 20 * gib,
				ComputeCapability: "8.0",
			},
			{DeviceID: 3, Name: "NVIDIA A100-SXM4-40GB MIG 1g.5gb", VRAMTotalBytes: 5 * gib, ComputeCapability: "8.0"},
			{DeviceID: 1, Name: "NVIDIA A100-SXM4-40GB", VRAMTotalBytes: 40 * gib, ComputeCapability: "8.0"},
		}, free: 62 * gib},
		"LOST_PARTS": {cuda: "12.4", gpus: []registration.GPU{ // no program can use the whole of the first
			{DeviceID: 1, Name: "NVIDIA A100-SXM4-40GB", VRAMTotalBytes: 40 * gib, ComputeCapability: "8.0"},
		}, free: 39 * gib},
		"TROUBLE": {cuda: "12.4", gpus: []registration.GPU{
			{DeviceID: 2, Name: "NVIDIA L4", VRAMTotalBytes: 24 * gib, ComputeCapability: "8.9"},
			{DeviceID: 3, Name: "NVIDIA GB10", ComputeCapability: "12.1"},
		}, free: 24 * gib, wrong: []string{"GPU 0 is left out: GPU is lost<U+000A>::error:: (15)"}},
		"STRANGE": {gpus: []registration.GPU{
			{DeviceID: 0, Name: "<U+001B>[2J" + strings.Repeat("x", 92), VRAMTotalBytes: gib, ComputeCapability: "8.6"},
			{DeviceID: 1, Name: "<0x80><0xFF><U+000A>::error::", VRAMTotalBytes: gib, ComputeCapability: "unknown"},
			{DeviceID: 2, Name: "unknown", VRAMTotalBytes: gib, ComputeCapability: "8.6"},
		}, free: 3 * gib, wrong: []string{"GPU 3, NVIDIA Rich, is left out: gpus/0/vram_total_bytes"}},
		"SILENT": {gpus: []registration.GPU{
			{DeviceID: 0, Name: "NVIDIA Mute", VRAMTotalBytes: gib, ComputeCapability: "unknown"},
		}, free: gib, wrong: []string{"GPU 1 is left out", "GPU 2 is left out", "GPU 3 is left out"}},
		"NO_DRIVER": {},
		"MISMATCH":  {wrong: []string{"NVML does not start: Driver/library version mismatch (18)"}},
	} {
		t.Run(scenario, func(t *testing.T) {
			m := withNVML(t, scenario)
			c := detect(t, m, want.wrong...)
			if diff := cmp.Diff(want.gpus, c.GPUs); diff != "" || c.CUDAVersion != want.cuda {
				t.Errorf("detected CUDA %q, want %q, and (-want +got):\n%s", c.CUDAVersion, want.cuda, diff)
			}
			if free, err := m.FreeVRAM(t.Context()); free != want.free || want.wrong == nil && err != nil {
				t.Errorf("free are %d bytes, want %d: %v", free, want.free, err)
			}
		})
	}
}

// A GPU that is lost does not take the others with it.
func TestFreeVRAMBesideALostGPU(t *testing.T) {
	m := withNVML(t, "TROUBLE")
	if free, err := m.FreeVRAM(t.Context(), 2); free != 24*gib || err != nil {
		t.Errorf("free are %d bytes: %v", free, err)
	}
	if free, err := m.FreeVRAM(t.Context(), 0); free != 0 || err == nil ||
		!strings.Contains(err.Error(), "GPU is lost") {
		t.Errorf("free are %d bytes: %v", free, err)
	}
	if free, err := m.FreeVRAM(t.Context(), 2, 3); free != 0 || err == nil || // 3 shares the memory of the CPU
		err.Error() != "the free memory of GPU 3 is unknown" {
		t.Errorf("free are %d bytes: %v", free, err)
	}
}

// The numbers of GPUs that are left out are nobody else's.
func TestAMDBesideALostGPU(t *testing.T) {
	m := withNVML(t, "TROUBLE")
	m.Root = machine("radeon").Root
	if got := numbers(detect(t, m, "GPU 0 is left out")); !slices.Equal(got, []int32{2, 3, 4, 5}) {
		t.Errorf("detected %d", got)
	}
}

// A library that says it has four billion GPUs is not believed.
func TestNVMLWithTooManyGPUs(t *testing.T) {
	c := detect(t, withNVML(t, "MANY"), "GPUs are left out: ")
	if c.GPUCount == 0 {
		t.Error("detected none, want as many as the contract allows")
	}
}

// The library comes first, and nvidia-smi where it is missing.
func TestNVMLBeforeSMI(t *testing.T) {
	m := withNVML(t, "MIG")
	m.NVIDIASMI = withSMI(t, "testdata/smi/two").NVIDIASMI
	if got := numbers(detect(t, m)); !slices.Equal(got, []int32{2, 3, 1}) {
		t.Errorf("detected %d, want what the library says", got)
	}
	m = withSMI(t, "testdata/smi/two")
	m.NVML = "testdata/nvml.c" // which is none
	if got := numbers(detect(t, m)); !slices.Equal(got, []int32{0, 1}) {
		t.Errorf("detected %d, want what nvidia-smi says", got)
	}
}

// A library that hangs is waited for once, and not by the callers.
func TestNVMLThatHangs(t *testing.T) {
	path, read := pipe(t)
	m := withNVML(t, "HANG", `-DPIPE="`+path+`"`)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("that was long enough")
	done := make(chan error, 1)
	go func() {
		_, err := m.Detect(ctx)
		done <- err
	}()
	end := read()
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("error is %v, want %v", err, why)
	}
	_, err := m.FreeVRAM(ctx)
	if !errors.Is(err, why) || !strings.Contains(err.Error(), "still being read") {
		t.Errorf("error is %v, want that the first read is under way", err)
	}
	end()
	if got := numbers(detect(t, m)); !slices.Equal(got, []int32{0, 1}) {
		t.Errorf("detected %d when it does not hang any more", got)
	}
}
