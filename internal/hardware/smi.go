package hardware

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// report is what nvidia-smi -q -x says.
type report struct {
	XMLName xml.Name    `xml:"nvidia_smi_log"`
	CUDA    string      `xml:"cuda_version"`
	GPUs    []reportGPU `xml:"gpu"`
}

type reportGPU struct {
	UUID   string       `xml:"uuid"`
	Name   string       `xml:"product_name"`
	MIG    string       `xml:"mig_mode>current_mig"`
	Memory reportMemory `xml:"fb_memory_usage"`
	Parts  []reportPart `xml:"mig_devices>mig_device"`
}

type reportPart struct {
	UUID   string       `xml:"uuid"`
	Memory reportMemory `xml:"fb_memory_usage"`
}

type reportMemory struct {
	Total mebibytes `xml:"total"`
	Free  mebibytes `xml:"free"`
}

func (r reportMemory) total() int64 { return max(int64(r.Total), 0) }

// mebibytes is an amount of memory in bytes, written as "40960 MiB", or as N/A where it is not known.
type mebibytes int64

func (m *mebibytes) UnmarshalText(text []byte) error {
	number, found := strings.CutSuffix(strings.TrimSpace(string(text)), " MiB")
	if !found {
		*m = notKnown // N/A
		return nil
	}
	count, err := strconv.ParseUint(number, 10, 43)
	*m = mebibytes(count << 20)
	return err
}

// smi asks nvidia-smi.
func (m *Machine) smi(ctx context.Context) (Driver, error) {
	output, err := m.runSMI(ctx, "-q", "-x")
	if err != nil {
		return Driver{}, err
	}
	if bytes.HasPrefix(output, []byte("No devices were found")) {
		return Driver{}, nil
	}
	var said report
	if err := xml.Unmarshal(output, &said); err != nil {
		return Driver{}, fmt.Errorf("nvidia-smi: its answer cannot be read: %w", err)
	}
	driver := Driver{CUDA: said.CUDA}
	for i, gpu := range said.GPUs {
		driver.GPUs = append(driver.GPUs, gpu.gpu(int32(i)))
	}
	return driver, errors.Join(m.addCompute(ctx, driver.GPUs), m.addInstances(ctx, driver.GPUs))
}

func (r reportGPU) gpu(number int32) GPU {
	gpu := GPU{
		Device: Device{
			Number: number, UUID: r.UUID, Name: r.Name, Total: r.Memory.total(), Free: int64(r.Memory.Free),
		},
		Divided: r.MIG == "Enabled",
	}
	for _, part := range r.Parts {
		gpu.Parts = append(gpu.Parts, Device{
			UUID: part.UUID, Name: r.Name + " MIG", Total: part.Memory.total(), Free: int64(part.Memory.Free),
		})
	}
	return gpu
}

// addCompute fills in what the GPUs can compute, which is not in the report. Old versions
// of nvidia-smi do not know it.
func (m *Machine) addCompute(ctx context.Context, gpus []GPU) error {
	if len(gpus) == 0 {
		return nil
	}
	output, err := m.runSMI(ctx, "--query-gpu=uuid,compute_cap", "--format=csv,noheader")
	for line := range strings.Lines(string(output)) {
		uuid, compute, _ := strings.Cut(line, ",")
		for i := range gpus {
			if gpus[i].UUID == strings.TrimSpace(uuid) {
				gpus[i].Compute = strings.TrimSpace(compute)
			}
		}
	}
	for i := range gpus {
		for j := range gpus[i].Parts {
			gpus[i].Parts[j].Compute = gpus[i].Compute
		}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == smiUsage {
		return nil
	}
	return err
}

var (
	listedGPU  = regexp.MustCompile(`^GPU \d+: .*\(UUID: (GPU-[^)]+)\)`)
	listedPart = regexp.MustCompile(`^\s+(MIG \S+)\s.*\(UUID: (MIG-[^)]+)\)`)
)

// addInstances fills in the profiles and UUIDs of MIG instances, which are not in the
// report of many drivers.
func (m *Machine) addInstances(ctx context.Context, gpus []GPU) error {
	if !slices.ContainsFunc(gpus, func(g GPU) bool { return len(g.Parts) > 0 }) {
		return nil
	}
	output, err := m.runSMI(ctx, "-L")
	var gpu *GPU
	place := 0
	for line := range strings.Lines(string(output)) {
		if found := listedGPU.FindStringSubmatch(line); found != nil {
			gpu, place = nil, 0
			if i := slices.IndexFunc(gpus, func(g GPU) bool { return g.UUID == found[1] }); i >= 0 {
				gpu = &gpus[i]
			}
		} else if found := listedPart.FindStringSubmatch(line); found != nil && gpu != nil && place < len(gpu.Parts) {
			gpu.Parts[place].Name, gpu.Parts[place].UUID = gpu.Name+" "+found[1], found[2]
			place++
		}
	}
	return err
}

// Exit statuses of nvidia-smi.
const (
	smiUsage     = 2
	smiNoDevices = 6
	smiNoDriver  = 9
	smiNoLibrary = 12
)

// maxAnswer is far more than nvidia-smi writes about a hundred GPUs, in bytes.
const maxAnswer = 8 << 20

// runSMI runs nvidia-smi and returns what it writes. ErrAbsent says that there is no
// nvidia-smi, or no driver or GPU for it.
func (m *Machine) runSMI(ctx context.Context, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, cmp.Or(m.NVIDIASMI, "nvidia-smi"), args...)
	command.Env = append(os.Environ(), "LC_ALL=C")
	command.WaitDelay = time.Second // for what it has started, and keeps its output open
	stdout, stderr := bounded{most: maxAnswer}, bounded{most: maxAnswer}
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return stdout.taken, nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return nil, ErrAbsent
	case ctx.Err() != nil:
		return nil, fmt.Errorf("nvidia-smi: %w", context.Cause(ctx))
	case errors.As(err, &exit) && slices.Contains([]int{smiNoDevices, smiNoDriver, smiNoLibrary}, exit.ExitCode()):
		return nil, ErrAbsent
	}
	said, _, _ := strings.Cut(strings.TrimSpace(string(stderr.taken)+"\n"+string(stdout.taken)), "\n")
	return nil, fmt.Errorf("nvidia-smi %s: %w: %s", strings.Join(args, " "), err, foreign.Line(said))
}

// bounded is a buffer that refuses to grow beyond a limit.
type bounded struct {
	taken []byte
	most  int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(b.taken)+len(p) > b.most {
		return 0, fmt.Errorf("more than %d bytes", b.most)
	}
	b.taken = append(b.taken, p...)
	return len(p), nil
}
