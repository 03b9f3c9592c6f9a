package fleet

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestASimulatedMachine(t *testing.T) {
	want := registration.Capabilities{
		GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1", CPUCores: int32(runtime.NumCPU()),
		RAMTotalBytes: 128 << 30,
	}
	for id := range int32(2) {
		want.GPUs = append(want.GPUs, registration.GPU{
			DeviceID: id, Name: "NVIDIA GeForce RTX 3090", VRAMTotalBytes: 24e9, ComputeCapability: "8.6",
		})
	}
	if diff := cmp.Diff(want, MadeUp()); diff != "" {
		t.Errorf("a simulated machine (-want +got):\n%s", diff)
	}
}

// The pools of a node share its memory; their load wanders by a slot, between none and all.
func TestALoad(t *testing.T) {
	load := NewLoad([]string{"a", "b"}, MadeUp())
	seen, last := map[int32]bool{}, int32(4)
	for range 1000 {
		status, err := load.Status(t.Context())
		if err != nil || len(status) != 2 || status[1].PoolID != "b" {
			t.Fatalf("status is %+v, %v", status, err)
		}
		free := status[0].SlotsFree
		want := registration.PoolStatus{
			PoolID: "a", Ready: true, SlotsFree: free, SlotsTotal: 4, VRAMFreeBytes: 24e9 - int64(4-free)*4e9,
			Engine: "llamacpp", ModelsAvailable: []string{"llama-3-8b"},
		}
		if diff := cmp.Diff(want, status[0]); diff != "" || free < 0 || free > 4 || free > last+1 || free < last-1 {
			t.Errorf("after %d slots free (-want +got):\n%s", last, diff)
		}
		last, seen[free] = free, true
	}
	if len(seen) != 5 {
		t.Errorf("slots free were %v, want 0 to 4", seen)
	}
	if status, err := NewLoad(nil, MadeUp()).Status(t.Context()); len(status) != 0 || err != nil {
		t.Errorf("without pools the status is %v, %v", status, err)
	}
}
