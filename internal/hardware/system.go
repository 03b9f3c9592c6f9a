package hardware

import (
	"math"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// system returns the CPU cores and the bytes of memory that the program may use. They are
// those of the machine, or of its cgroup if that has less. Memory is 0 when unknown.
func (m *Machine) system() (cores, memory int64) {
	cores, memory = int64(runtime.NumCPU()), m.memory()
	if memory == 0 {
		memory = systemMemory()
	}
	mostCores, mostMemory := m.cgroup()
	if mostMemory < memory {
		memory = mostMemory
	}
	return min(cores, mostCores), memory
}

// memory returns the memory of the machine as Linux states it, in bytes.
func (m *Machine) memory() int64 {
	for line := range strings.Lines(m.text("proc/meminfo")) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			kibibytes, _ := strconv.ParseInt(fields[1], 10, 43)
			return kibibytes << 10
		}
	}
	return 0
}

// cgroup returns the limits of the program's cgroup, version 2, and of those above it;
// math.MaxInt64 for none.
func (m *Machine) cgroup() (cores, memory int64) {
	cores, memory = math.MaxInt64, math.MaxInt64
	for line := range strings.Lines(m.text("proc/self/cgroup")) {
		group, found := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for dir := path.Clean("/" + group); found; dir = path.Dir(dir) {
			cores = min(cores, m.coreLimit(dir))
			if limit := m.integer("sys/fs/cgroup", dir, "memory.max"); limit > 0 {
				memory = min(memory, limit)
			}
			if dir == "/" {
				break
			}
		}
	}
	return cores, memory
}

// coreLimit returns how many cores a cgroup may keep busy, begun ones counted as whole.
func (m *Machine) coreLimit(dir string) int64 {
	quota, period, _ := strings.Cut(m.text("sys/fs/cgroup", dir, "cpu.max"), " ")
	q, _ := strconv.ParseInt(quota, 10, 64)
	p, _ := strconv.ParseInt(period, 10, 64)
	if q <= 0 || p <= 0 {
		return math.MaxInt64 // "max"
	}
	return (q-1)/p + 1
}
