package fleet

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"sync/atomic"
)

// footprint is how much of the machine's resources the process uses.
type footprint struct {
	base, goroutines int64        // bytes of memory, and goroutines, before there were nodes
	most             atomic.Int64 // memory
	running          atomic.Int64 // goroutines at the last look
}

// begin records the present use as the use without nodes.
func (f *footprint) begin() {
	debug.FreeOSMemory()
	f.base, f.goroutines = residentMemory(), int64(runtime.NumGoroutine())
	f.look()
}

// look records the present use.
func (f *footprint) look() {
	f.most.Store(max(f.most.Load(), residentMemory()))
	f.running.Store(int64(runtime.NumGoroutine()))
}

// residentMemory returns the memory of the process in bytes. It is resident memory where the
// system reports it, as Linux does, else what Go has taken and not given back.
func residentMemory() int64 {
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(statm); len(fields) > 1 {
			pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			return pages * int64(os.Getpagesize())
		}
	}
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64() - sample[1].Value.Uint64())
}
