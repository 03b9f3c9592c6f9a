//go:build unix

package capabilities_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/pkg/capabilities"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// withSMI returns a machine with an nvidia-smi that gives the answers in a directory.
func withSMI(t *testing.T, answers string) *capabilities.Machine {
	t.Setenv("SMI_ANSWERS", answers)
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	m := machine("plain")
	m.NVIDIASMI = "testdata/nvidia-smi"
	return m
}

// migNode is the machine of testdata/smi/mig.
var migNode = []registration.GPU{
	{DeviceID: 2, Name: "NVIDIA A100-SXM4-40GB MIG 3g.20gb", VRAMTotalBytes: 20096 << 20, ComputeCapability: "8.0"},
	{DeviceID: 3, Name: "NVIDIA A100-SXM4-40GB MIG 1g.5gb", VRAMTotalBytes: 4864 << 20, ComputeCapability: "8.0"},
	{DeviceID: 1, Name: "NVIDIA A100-SXM4-40GB", VRAMTotalBytes: 40960 << 20, ComputeCapability: "8.0"},
}

func TestSMI(t *testing.T) {
	for answers, want := range map[string]struct {
		cuda string
		gpus []registration.GPU
		free int64
	}{
		"two": {"12.4", []registration.GPU{
			{DeviceID: 0, Name: "NVIDIA GeForce RTX 3090", VRAMTotalBytes: 24576 << 20, ComputeCapability: "8.6"},
			{DeviceID: 1, Name: "NVIDIA H100 80GB HBM3", VRAMTotalBytes: 81559 << 20, ComputeCapability: "9.0"},
		}, (20480 + 81000) << 20},
		"mig":  {"12.2", migNode, (19968 + 4096 + 40000) << 20},
		"none": {},
		"old":  {"", []registration.GPU{{DeviceID: 0, Name: "Tesla K80", ComputeCapability: "unknown"}}, 0},
	} {
		t.Run(answers, func(t *testing.T) {
			m := withSMI(t, "testdata/smi/"+answers)
			c := detect(t, m)
			if diff := cmp.Diff(want.gpus, c.GPUs); diff != "" || c.CUDAVersion != want.cuda {
				t.Errorf("detected CUDA %q, want %q, and (-want +got):\n%s", c.CUDAVersion, want.cuda, diff)
			}
			if free, err := m.FreeVRAM(t.Context()); free != want.free || err != nil {
				t.Errorf("free are %d bytes, want %d: %v", free, want.free, err)
			}
		})
	}
}

// A machine with GPUs of both makers numbers them one after the other.
func TestBothMakers(t *testing.T) {
	m := withSMI(t, "testdata/smi/mig")
	m.Root = machine("radeon").Root
	if got := numbers(detect(t, m)); !slices.Equal(got, []int32{2, 3, 1, 4, 5}) {
		t.Errorf("detected %d", got)
	}
}

func TestFreeVRAMOfSomeGPUs(t *testing.T) {
	m := withSMI(t, "testdata/smi/two")
	if free, err := m.FreeVRAM(t.Context(), 1); free != 81000<<20 || err != nil {
		t.Errorf("free are %d bytes: %v", free, err)
	}
	if free, err := m.FreeVRAM(t.Context(), 1, 0, 1); free != (20480+81000)<<20 || err != nil {
		t.Errorf("with a number that is there twice, free are %d bytes: %v", free, err)
	}
	if free, err := m.FreeVRAM(t.Context(), 0, 7); free != 0 || err == nil || err.Error() != "there is no GPU 7" {
		t.Errorf("free are %d bytes: %v", free, err)
	}
}

func TestCUDAVisibleDevices(t *testing.T) {
	for list, want := range map[string][]int32{
		"":                      nil,
		"1":                     {1},
		"1, 0":                  {1, 2}, // CUDA takes the first instance of a GPU in MIG mode
		"1,5,0":                 {1},    // nothing behind what is not there
		"1,-1,0":                {1},
		"2":                     nil, // they are two
		"1,1,0":                 {1},
		"NoDevFiles":            nil,
		"GPU-bbbb":              {1},
		"GPU-aaaa":              {2},
		"GPU-":                  nil, // either
		"MIG-22222222,GPU-bbbb": {3, 1},
	} {
		t.Setenv("CUDA_VISIBLE_DEVICES", list)
		if got := numbers(detect(t, withSMI(t, "testdata/smi/mig"))); !slices.Equal(got, want) {
			t.Errorf("%q shows %d, want %d", list, got, want)
		}
	}
}

// scripted returns a directory of answers with a script, which runs first.
func scripted(t *testing.T, script string) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSMIThatFails(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"no driver":  {"echo 'NVIDIA-SMI has failed'; exit 9", ""},
		"no library": {"exit 12", ""},
		"no GPU":     {"exit 6", ""},
		"error": {
			`printf '\033[2JUnable to run\n::error::\n' >&2; exit 15`, "exit status 15: <U+001B>[2JUnable to run",
		},
		"silence":   {"exit 0", "nvidia-smi: its answer cannot be read: EOF"},
		"rubbish":   {`cat testdata/smi/rubbish/report.xml; exit 0`, "nvidia-smi: its answer cannot be read"},
		"localized": {`cat testdata/smi/localized/report.xml; exit 0`, "24.576,5"},
		"no end":    {"exec yes", "nvidia-smi -q -x: "},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if c := detect(t, withSMI(t, scripted(t, test.script)), want...); c.GPUCount != 0 || c.CPUCores == 0 {
				t.Errorf("detected %+v, want cores and memory", c)
			}
		})
	}
}

// A part that fails takes nothing else with it.
func TestSMIThatFailsInPart(t *testing.T) {
	dir := scripted(t, `SMI_ANSWERS=testdata/smi/mig; case "$1" in -q) ;; *) echo broken; exit 4 ;; esac`)
	c := detect(t, withSMI(t, dir), "nvidia-smi -L: exit status 4: broken", "nvidia-smi --query-gpu")
	if !slices.Equal(numbers(c), []int32{2, 3, 1}) || c.GPUs[0].ComputeCapability != "unknown" {
		t.Errorf("detected %+v", c.GPUs)
	}
}

// pipe makes a FIFO. The function that it returns waits until somebody reads it, and then
// returns what ends the reading.
func pipe(t *testing.T) (path string, read func() (end func())) {
	path = filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, func() func() {
		writer, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		return func() { writer.Close() }
	}
}

func TestSMIThatHangs(t *testing.T) {
	path, read := pipe(t)
	m := withSMI(t, scripted(t, "exec cat "+path))
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("that was long enough")
	done := make(chan error, 1)
	go func() {
		_, err := m.Detect(ctx)
		done <- err
	}()
	end := read()
	defer end()
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("error is %v, want %v", err, why)
	}
	// The program has ended too: it holds up nobody else.
	t.Setenv("SMI_ANSWERS", "testdata/smi/mig")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if c, err := m.Detect(ctx); err != nil || len(c.GPUs) != len(migNode) {
		t.Errorf("then %d GPUs, %v", len(c.GPUs), err)
	}
}

// described returns the answer of an nvidia-smi with one GPU, in MIG mode or not.
func described(memory, more string) string {
	return `cat <<END
<nvidia_smi_log><cuda_version>12.4</cuda_version><gpu><uuid>GPU-1</uuid><product_name>NVIDIA L4</product_name>
<fb_memory_usage>` + memory + `</fb_memory_usage>` + more + `</gpu></nvidia_smi_log>
END
exit 0`
}

// What nvidia-smi says of a GPU's memory may be little, or wrong.
func TestSMIOnMemory(t *testing.T) {
	for name, test := range map[string]struct {
		memory string
		total  int64
		free   int64 // -1 when that is unknown
	}{
		"all free":        {"<total>4096 MiB</total><free>4096 MiB</free>", 4096 << 20, 4096 << 20},
		"none free":       {"<total>4096 MiB</total><free>0 MiB</free>", 4096 << 20, 0},
		"more than all":   {"<total>4096 MiB</total><free>4097 MiB</free>", 4096 << 20, -1},
		"what is free":    {"<total>4096 MiB</total><free>N/A</free>", 4096 << 20, -1},
		"what there is":   {"<total>N/A</total><free>4096 MiB</free>", 0, -1},
		"nothing at all":  {"<total>N/A</total><free>N/A</free>", 0, -1},
		"another measure": {"<total>4 GiB</total><free>4 GiB</free>", 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			compute := `case "$1" in --query*) echo "GPU-1, 8.9"; exit 0 ;; esac; `
			m := withSMI(t, scripted(t, compute+described(test.memory, "")))
			if c := detect(t, m); len(c.GPUs) != 1 || c.GPUs[0].VRAMTotalBytes != test.total {
				t.Errorf("detected %+v", c.GPUs)
			}
			if free, err := m.FreeVRAM(t.Context(), 0); free != max(test.free, 0) || (err == nil) != (test.free >= 0) {
				t.Errorf("free are %d bytes, want %d: %v", free, test.free, err)
			}
			if free, err := m.FreeVRAM(t.Context()); free != max(test.free, 0) || err != nil {
				t.Errorf("of all, free are %d bytes, want %d: %v", free, test.free, err)
			}
		})
	}
}

// A version of CUDA that the contract does not know is left out, whatever it is.
func TestSMIOnCUDA(t *testing.T) {
	for said, want := range map[string]string{"13.0": "13.0", "N/A": "", "Not Found": "", "": ""} {
		one := strings.Replace(described("<total>4096 MiB</total><free>4096 MiB</free>", ""), "12.4", said, 1)
		c := detect(t, withSMI(t, scripted(t, `case "$1" in --query*) exit 2 ;; esac; `+one)))
		if c.CUDAVersion != want || c.GPUCount != 1 {
			t.Errorf("%q: detected CUDA %q, want %q, and %d GPUs", said, c.CUDAVersion, want, c.GPUCount)
		}
	}
}

// A list that has more instances than the report, or other GPUs, names those that both have.
func TestSMIThatListsMore(t *testing.T) {
	const divided = "<mig_mode><current_mig>Enabled</current_mig></mig_mode><mig_devices><mig_device>" +
		"<fb_memory_usage><total>1 MiB</total><free>1 MiB</free></fb_memory_usage></mig_device></mig_devices>"
	dir := scripted(t, `case "$1" in --query*) exit 2 ;; -L) cat "$SMI_ANSWERS/list"; exit 0 ;; esac; `+
		described("", divided+"</gpu><gpu><uuid>GPU-2</uuid><product_name>NVIDIA L4</product_name>"+divided))
	list := `GPU 0: NVIDIA L4 (UUID: GPU-0)
  MIG 4g.40gb     Device  0: (UUID: MIG-0)
GPU 1: NVIDIA L4 (UUID: GPU-1)
  MIG 3g.20gb     Device  0: (UUID: MIG-1)
  MIG 1g.5gb      Device  1: (UUID: MIG-2)
GPU 2: NVIDIA L4 (UUID: GPU-2)
  MIG 2g.10gb     Device  0: (UUID: MIG-3)
`
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	c := detect(t, withSMI(t, dir))
	if len(c.GPUs) != 2 || c.GPUs[0].Name != "NVIDIA L4 MIG 3g.20gb" || c.GPUs[1].Name != "NVIDIA L4 MIG 2g.10gb" {
		t.Errorf("detected %+v", c.GPUs)
	}
}

// A machine without nvidia-smi has no NVIDIA GPU; with one that cannot be started it may have some.
func TestSMIThatIsNotThere(t *testing.T) {
	m := machine("plain")
	m.NVIDIASMI = ""
	t.Setenv("PATH", t.TempDir())
	detect(t, m)
	m = machine("plain")
	m.NVIDIASMI = "testdata/nvml.c"
	detect(t, m, "permission denied")
}
