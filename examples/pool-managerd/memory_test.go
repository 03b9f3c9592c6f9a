//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/pkg/capabilities"
)

// drivers is the directory of an nvidia-smi that the tests run.
const drivers = "../../pkg/capabilities/testdata/"

// A driver that fails for once does not make a pool with free memory one without.
func TestMemoryThatCannotBeRead(t *testing.T) {
	t.Setenv("CUDA_VISIBLE_DEVICES", "0,1")
	machine := &capabilities.Machine{Root: t.TempDir(), NVML: "none", NVIDIASMI: drivers + "nvidia-smi"}
	pool := newPool("pool-0", 1)
	for _, answers := range []string{"two", "rubbish"} {
		t.Setenv("SMI_ANSWERS", drivers+"smi/"+answers)
		err := pool.readMemory(t.Context(), machine)
		status, _ := pool.status(t.Context())
		if free := status[0].VRAMFreeBytes; free != (20480+81000)<<20 || (err != nil) != (answers == "rubbish") {
			t.Errorf("after the answer %s, free are %d bytes: %v", answers, free, err)
		}
	}
	report, err := os.ReadFile(drivers + "smi/two/report.xml")
	if err != nil {
		t.Fatal(err)
	}
	oneIsSick := t.TempDir()
	text := strings.Replace(string(report), "81000 MiB", "N/A", 1)
	if err := os.WriteFile(filepath.Join(oneIsSick, "report.xml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SMI_ANSWERS", oneIsSick)
	err = pool.readMemory(t.Context(), machine)
	status, _ := pool.status(t.Context())
	if free := status[0].VRAMFreeBytes; free != 20480<<20 || err == nil {
		t.Errorf("of two GPUs, one sick, free are %d bytes: %v", free, err)
	}
}

// Memory that is full is not memory that cannot be read.
func TestFullMemory(t *testing.T) {
	t.Setenv("CUDA_VISIBLE_DEVICES", "0,1")
	machine := &capabilities.Machine{Root: t.TempDir(), NVML: "none", NVIDIASMI: drivers + "nvidia-smi"}
	pool := newPool("pool-0", 1)
	pool.freeVRAM.Store(1)
	full := t.TempDir()
	t.Setenv("SMI_ANSWERS", full)
	if err := os.CopyFS(full, os.DirFS(drivers+"smi/two")); err != nil {
		t.Fatal(err)
	}
	report, err := os.ReadFile(filepath.Join(full, "report.xml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("20480 MiB", "0 MiB", "81000 MiB", "0 MiB").Replace(string(report))
	if err := os.WriteFile(filepath.Join(full, "report.xml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	err = pool.readMemory(t.Context(), machine)
	status, _ := pool.status(t.Context())
	if free := status[0].VRAMFreeBytes; free != 0 || err != nil {
		t.Errorf("of two GPUs that are full, free are %d bytes: %v", free, err)
	}
}
