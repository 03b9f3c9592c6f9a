package hardware

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

// Where Linux describes the GPUs of the amdgpu driver.
const (
	computeNodes = "sys/class/kfd/kfd/topology/nodes" // those that can compute, in ROCm's order
	renderNodes  = "sys/class/drm"                    // all of them, by the number of their device file
	deviceFiles  = "dev/dri"
	productNames = "usr/share/libdrm/amdgpu.ids"
	amdVendor    = "0x1002"
)

// amd returns the AMD GPUs that the program may use. Where the compute driver is not
// loaded they are those that render.
func (m *Machine) amd() (gpus []GPU) {
	nodes, err := os.ReadDir(m.path(computeNodes))
	if err != nil {
		return m.amdRenderers()
	}
	slices.SortFunc(nodes, func(a, b os.DirEntry) int {
		return cmp.Or(cmp.Compare(len(a.Name()), len(b.Name())), strings.Compare(a.Name(), b.Name()))
	})
	for _, node := range nodes {
		dir := filepath.Join(computeNodes, node.Name())
		properties := m.properties(dir, "properties")
		renderer := "renderD" + properties["drm_render_minor"]
		if properties["simd_count"] == "" || properties["simd_count"] == "0" || !m.mayUse(renderer) {
			continue // a CPU, or a GPU of somebody else
		}
		gpu := m.amdDevice(renderer, architecture(properties["gfx_target_version"]))
		gpu.Number = int32(len(gpus))
		if id, err := strconv.ParseUint(properties["unique_id"], 10, 64); err == nil && id != 0 {
			gpu.UUID = fmt.Sprintf("GPU-%016x", id)
		}
		if gpu.Total == 0 { // a partition of a GPU
			gpu.Total, gpu.Free = m.banks(dir)
		}
		gpus = append(gpus, GPU{Device: gpu})
	}
	return gpus
}

func (m *Machine) amdRenderers() (gpus []GPU) {
	dirs, _ := filepath.Glob(m.path(renderNodes, "renderD*"))
	for _, dir := range dirs {
		renderer := filepath.Base(dir)
		if m.text(renderNodes, renderer, "device/vendor") == amdVendor && m.mayUse(renderer) {
			gpu := m.amdDevice(renderer, "")
			gpu.Number = int32(len(gpus))
			gpus = append(gpus, GPU{Device: gpu})
		}
	}
	return gpus
}

// mayUse reports whether the program has the device file of a GPU. A container sees all
// GPUs of its host in /sys, and has the files of its own.
func (m *Machine) mayUse(renderer string) bool {
	_, err := os.Stat(m.path(deviceFiles, renderer))
	return err == nil
}

func (m *Machine) amdDevice(renderer, compute string) Device {
	dir := filepath.Join(renderNodes, renderer, "device")
	total := m.integer(dir, "mem_info_vram_total")
	return Device{
		Name:    cmp.Or(m.text(dir, "product_name"), m.productName(dir), strings.TrimSpace("AMD GPU "+compute)),
		Compute: compute,
		Total:   total,
		Free:    m.unused(total, dir, "mem_info_vram_used"),
	}
}

// productName looks a device up in the list of products that libdrm has.
func (m *Machine) productName(dir string) string {
	device := strings.TrimPrefix(m.text(dir, "device"), "0x")
	revision := strings.TrimPrefix(m.text(dir, "revision"), "0x")
	for line := range strings.Lines(m.text(productNames)) {
		fields := strings.SplitN(line, ",", 3)
		if len(fields) < 3 || !strings.EqualFold(fields[0], device) {
			continue
		}
		if strings.EqualFold(strings.TrimSpace(fields[1]), revision) {
			return strings.TrimSpace(fields[2])
		}
	}
	return ""
}

// banks returns the memory of a compute node that has no memory in its device's directory.
func (m *Machine) banks(dir string) (total, free int64) {
	banks, _ := filepath.Glob(m.path(dir, "mem_banks/*"))
	for _, bank := range banks {
		bank = filepath.Join(dir, "mem_banks", filepath.Base(bank))
		properties := m.properties(bank, "properties")
		if kind := properties["heap_type"]; kind != "1" && kind != "2" { // the GPU's own memory
			continue
		}
		size, _ := strconv.ParseInt(properties["size_in_bytes"], 10, 64)
		total += size
		unused := m.unused(size, bank, "used_memory")
		if unused == notKnown || free == notKnown {
			free = notKnown
		} else {
			free += unused
		}
	}
	return total, free
}

// unused returns what is left of a memory, in which as much is used as a file says.
func (m *Machine) unused(total int64, path ...string) int64 {
	used, err := strconv.ParseInt(m.text(path...), 10, 64)
	if err != nil {
		return notKnown
	}
	return max(total-used, 0)
}

// architecture names what the compute driver gives as a number: 90010 is gfx90a.
func architecture(version string) string {
	v, err := strconv.ParseUint(version, 10, 32)
	if err != nil || v == 0 {
		return ""
	}
	return fmt.Sprintf("gfx%d%x%x", v/10000, v/100%100, v%100)
}

// properties reads a file that has a name and a value on each line.
func (m *Machine) properties(path ...string) map[string]string {
	properties := map[string]string{}
	for line := range strings.Lines(m.text(path...)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		properties[name] = value
	}
	return properties
}

func (m *Machine) integer(path ...string) int64 {
	n, err := strconv.ParseInt(m.text(path...), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// text returns the content of a file below the root without the blanks around it, "" if it
// cannot be read.
func (m *Machine) text(path ...string) string {
	content, err := regularfile.ReadShort(m.path(path...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func (m *Machine) path(path ...string) string {
	return filepath.Join(append([]string{cmp.Or(m.Root, "/")}, path...)...)
}
