package capabilities_test

import (
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/capabilities"
	"github.com/llama-orch/node-registration/pkg/registration"
)

const gib = 1 << 30

// machine returns a machine that is a directory of testdata/roots, and has no NVIDIA GPU.
func machine(root string) *capabilities.Machine {
	return &capabilities.Machine{
		Root:      filepath.Join("testdata", "roots", root),
		NVML:      "testdata/nothing",
		NVIDIASMI: "testdata/nothing",
	}
}

// detect returns the GPUs of a machine, after the sums and everything else were checked.
func detect(t *testing.T, m *capabilities.Machine, wantErr ...string) registration.Capabilities {
	t.Helper()
	c, err := m.Detect(t.Context())
	var lines []string
	if err != nil {
		lines = strings.Split(err.Error(), "\n")
	}
	if len(lines) != len(wantErr) {
		t.Errorf("error is %v, want %q", err, wantErr)
	}
	for _, want := range wantErr {
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
	if err != nil && (!utf8.ValidString(err.Error()) || strings.Contains(err.Error(), "\x1b")) {
		t.Errorf("error is not safe to show: %q", err)
	}
	megabytes := int64(0)
	for _, gpu := range c.GPUs {
		megabytes += gpu.VRAMTotalBytes / 1_000_000
	}
	if int(c.GPUCount) != len(c.GPUs) || c.TotalVRAMMB != megabytes {
		t.Errorf("%d GPUs with %d MB, want %d with %d", c.GPUCount, c.TotalVRAMMB, len(c.GPUs), megabytes)
	}
	accepted(t, c)
	return c
}

// accepted registers a node with what was detected, with an orchestratord of either dialect.
func accepted(t *testing.T, c registration.Capabilities) {
	t.Helper()
	for _, dialect := range []mockserver.Dialect{mockserver.Document, mockserver.InService} {
		orchestratord := mocktest.InMemory(t, mockserver.WithDialect(dialect))
		node, err := registration.New(registration.Config{
			NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
			OrchestratordURL: orchestratord.URL, HTTPClient: orchestratord.Client(), Pools: []string{"pool-0"},
			Capabilities: c,
			Logger:       slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatalf("the contract does not allow what was detected: %v", err)
		}
		if err := node.Register(t.Context()); err != nil {
			t.Errorf("what was detected is not accepted in the dialect %s: %v", dialect, err)
		}
		if err := node.Deregister(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestSystem(t *testing.T) {
	cores := int32(runtime.NumCPU())
	for root, want := range map[string]registration.Capabilities{
		"plain":   {CPUCores: cores, RAMTotalBytes: 16 * gib},
		"limited": {CPUCores: 1, RAMTotalBytes: 8 * gib},
	} {
		t.Run(root, func(t *testing.T) {
			if diff := cmp.Diff(want, detect(t, machine(root))); diff != "" {
				t.Errorf("detected (-want +got):\n%s", diff)
			}
		})
	}
}

// rooted returns a machine without GPUs that has these files.
func rooted(t *testing.T, files map[string]string) *capabilities.Machine {
	t.Helper()
	m := machine("plain")
	m.Root = t.TempDir()
	for file, text := range files {
		path := filepath.Join(m.Root, file)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// The memory is what the kernel says of it, if it can be read.
func TestMemory(t *testing.T) {
	const all, group, limit = "MemTotal: 16 kB", "0::/a", "sys/fs/cgroup/a/memory.max"
	for name, test := range map[string]struct {
		info, group, limit string
		want               int64
	}{
		"behind other lines":   {"\nMemFree: 1 kB\nMemTotal: 16 kB\n", "", "", 16 << 10},
		"not said":             {"MemFree: 16 kB\n", "", "", 0},
		"not a number":         {"MemTotal: some kB\n", "", "", 0},
		"cut off":              {"MemTotal:", "", "", 0},
		"limited to less":      {all, group + "/b", "8192", 8 << 10},
		"limited to more":      {all, group, "32768", 16 << 10},
		"not limited":          {all, group, "max", 16 << 10},
		"another's limit":      {all, "0::/b", "8192", 16 << 10},
		"limited by version 1": {all, "1:a:/a", "8192", 16 << 10},
	} {
		m := rooted(t, map[string]string{"proc/meminfo": test.info, "proc/self/cgroup": test.group, limit: test.limit})
		if c, err := m.Detect(t.Context()); err != nil || c.RAMTotalBytes != test.want {
			t.Errorf("%s: %d bytes, want %d; %v", name, c.RAMTotalBytes, test.want, err)
		}
	}
}

// A core that a program may use in part counts as one.
func TestPartsOfCores(t *testing.T) {
	for limit, want := range map[string]int{
		"1000 100000": 1, "100000 100000": 1, "100001 100000": 2, "150000 100000": 2, "200000 100000": 2,
		"max 100000": math.MaxInt32, "0 100000": math.MaxInt32, "": math.MaxInt32,
		"100000 0": math.MaxInt32, "100000": math.MaxInt32, "99999999999999999999 100000": math.MaxInt32,
	} {
		m := rooted(t, map[string]string{"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": limit})
		if c, err := m.Detect(t.Context()); err != nil || int(c.CPUCores) != min(want, runtime.NumCPU()) {
			t.Errorf("%q: %d cores, want %d of %d; %v", limit, c.CPUCores, want, runtime.NumCPU(), err)
		}
	}
}

// This machine has whatever it has.
func TestThisMachine(t *testing.T) {
	c, err := capabilities.Detect(t.Context())
	if c.CPUCores < 1 || c.RAMTotalBytes < gib/4 {
		t.Errorf("detected %+v: %v", c, err)
	}
	accepted(t, c)
}

func TestAMD(t *testing.T) {
	for root, want := range map[string]struct {
		gpus []registration.GPU
		free int64
	}{
		"radeon": {[]registration.GPU{
			{DeviceID: 0, Name: "AMD Radeon RX 7900 XTX", VRAMTotalBytes: 25753026560, ComputeCapability: "gfx1100"},
			{DeviceID: 1, Name: "AMD Instinct MI210", VRAMTotalBytes: 68702699520, ComputeCapability: "gfx90a"},
		}, 25753026560 - gib + 68702699520 - 10<<20},
		"container": {[]registration.GPU{
			{DeviceID: 0, Name: "AMD GPU gfx942", VRAMTotalBytes: 206141652992, ComputeCapability: "gfx942"},
		}, 206141652992 - 297<<20},
		"partitions": {[]registration.GPU{
			{DeviceID: 0, Name: "AMD GPU gfx942", VRAMTotalBytes: 103070826496, ComputeCapability: "gfx942"},
			{DeviceID: 1, Name: "AMD GPU gfx942", VRAMTotalBytes: 103070826496, ComputeCapability: "gfx942"},
		}, 200_000_000_000},
		"renderers": {[]registration.GPU{
			{DeviceID: 0, Name: "AMD GPU", VRAMTotalBytes: 8573157376, ComputeCapability: "unknown"},
		}, 0},
	} {
		t.Run(root, func(t *testing.T) {
			m := machine(root)
			if diff := cmp.Diff(want.gpus, detect(t, m).GPUs); diff != "" {
				t.Errorf("detected (-want +got):\n%s", diff)
			}
			if free, err := m.FreeVRAM(t.Context()); free != want.free || err != nil {
				t.Errorf("free are %d bytes, want %d: %v", free, want.free, err)
			}
		})
	}
}

// What is not known is not free.
func TestFreeVRAMThatIsUnknown(t *testing.T) {
	for name, test := range map[string]struct {
		root string
		file string // that goes missing
		all  int64  // that can be read
	}{
		"a GPU":       {"radeon", "class/drm/renderD129/device/mem_info_vram_used", 25753026560 - gib},
		"its total":   {"radeon", "class/drm/renderD129/device/mem_info_vram_total", 25753026560 - gib},
		"a partition": {"partitions", "class/kfd/kfd/topology/nodes/2/mem_banks/0/used_memory", 100_000_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(test.root)
			root := t.TempDir()
			if err := os.CopyFS(root, os.DirFS(m.Root)); err != nil {
				t.Fatal(err)
			}
			m.Root = root
			if err := os.Remove(filepath.Join(root, "sys", test.file)); err != nil {
				t.Fatal(err)
			}
			if free, err := m.FreeVRAM(t.Context()); free != test.all || err != nil {
				t.Errorf("free are %d bytes, want %d: %v", free, test.all, err)
			}
			if free, err := m.FreeVRAM(t.Context(), 0, 1); free != 0 || err == nil ||
				err.Error() != "the free memory of GPU 1 is unknown" {
				t.Errorf("of both, free are %d bytes: %v", free, err)
			}
		})
	}
}

func TestAMDVisibleDevices(t *testing.T) {
	for list, want := range map[string][]int32{
		"1,0":                  {1, 0},
		"GPU-123456789abcdef1": {1},
		"GPU-123456789abcdef":  nil, // either
		"":                     nil,
	} {
		t.Setenv("ROCR_VISIBLE_DEVICES", list)
		if got := numbers(detect(t, machine("radeon"))); !slices.Equal(got, want) {
			t.Errorf("%q shows %d, want %d", list, got, want)
		}
	}
}

// numbers returns the DeviceIDs of GPUs.
func numbers(c registration.Capabilities) (ids []int32) {
	for _, gpu := range c.GPUs {
		ids = append(ids, gpu.DeviceID)
	}
	return ids
}

// An AMD GPU is described by many small files, and some say little.
func TestWhatTheKernelSaysOfAMD(t *testing.T) {
	const device, node = "sys/class/drm/renderD128/device/", "sys/class/kfd/kfd/topology/nodes/1/"
	files := map[string]string{
		"dev/dri/renderD128": "", device + "vendor": "0x1002", device + "device": "0x744c", device + "revision": "0xc9",
		device + "mem_info_vram_total": "1000000000", device + "mem_info_vram_used": "2000000000",
		"usr/share/libdrm/amdgpu.ids": "# list\n73BF,\tC9,\tAnother\n744C,\tC8,\tIts like\n744C,\tC9,\tAMD Radeon\n",
		node + "properties":           "simd_count 4\nunique_id 0\ndrm_render_minor 128\ngfx_target_version 90010\n",
	}
	m := rooted(t, files)
	want := []registration.GPU{{Name: "AMD Radeon", VRAMTotalBytes: 1_000_000_000, ComputeCapability: "gfx90a"}}
	if diff := cmp.Diff(want, detect(t, m).GPUs); diff != "" {
		t.Errorf("detected (-want +got):\n%s", diff)
	}
	if free, err := m.FreeVRAM(t.Context(), 0); free != 0 || err != nil { // more is used than there is
		t.Errorf("free are %d bytes: %v", free, err)
	}
	t.Setenv("ROCR_VISIBLE_DEVICES", "GPU-0000000000000000") // which is no id
	if got := numbers(detect(t, rooted(t, files))); got != nil {
		t.Errorf("it shows %d", got)
	}
	t.Setenv("ROCR_VISIBLE_DEVICES", "0")
	files[device+"mem_info_vram_total"] = "0"
	for i, bank := range []string{
		"heap_type 0\nsize_in_bytes 9", "heap_type 1\nsize_in_bytes 600", "heap_type 2\nsize_in_bytes 40",
	} {
		at := node + "mem_banks/" + string(rune('0'+i))
		files[at+"/properties"], files[at+"/used_memory"] = bank, "10"
	}
	m = rooted(t, files)
	if free, err := m.FreeVRAM(t.Context(), 0); free != 620 || err != nil {
		t.Errorf("of its banks, free are %d bytes: %v", free, err)
	}
	files[node+"mem_banks/1/used_memory"] = "N/A"
	if free, err := rooted(t, files).FreeVRAM(t.Context(), 0); err == nil {
		t.Errorf("of banks that are not known, free are %d bytes", free)
	}
}
