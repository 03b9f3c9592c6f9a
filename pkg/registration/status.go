package registration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// GPU is one GPU of a node.
type GPU = nodeapi.GPU

// Capabilities say what a node can do.
type Capabilities struct {
	// GPUCount is the number of GPUs.
	GPUCount int32
	// TotalVRAMMB is the memory of all GPUs together, in megabytes.
	TotalVRAMMB int64
	// CUDAVersion is the version that the driver offers, such as "12.1"; empty
	// where there is no CUDA.
	CUDAVersion string
	// GPUs are the GPUs one by one.
	GPUs []GPU
	// CPUCores is the number of CPU cores, 0 when unknown.
	CPUCores int32
	// RAMTotalBytes is the main memory, 0 when unknown.
	RAMTotalBytes int64
}

// wire states the GPUs even when there are none: an orchestratord in service
// refuses a registration without the list.
func (c Capabilities) wire() nodeapi.NodeCapabilities {
	gpus := append([]GPU{}, c.GPUs...)
	return nodeapi.NodeCapabilities{
		GPUCount:      c.GPUCount,
		TotalVRAMMB:   c.TotalVRAMMB,
		CUDAVersion:   c.CUDAVersion,
		Gpus:          &gpus,
		CPUCores:      unlessZero(c.CPUCores),
		RAMTotalBytes: unlessZero(c.RAMTotalBytes),
	}
}

// PoolStatus is the state of one pool at one moment.
type PoolStatus struct {
	// PoolID names the pool.
	PoolID string
	// Ready says that the pool takes work.
	Ready bool
	// Draining says that the pool finishes its work and takes no more.
	Draining bool
	// SlotsFree is how many slots could take work now, of SlotsTotal.
	SlotsFree, SlotsTotal int32
	// VRAMFreeBytes is the free GPU memory.
	VRAMFreeBytes int64
	// Engine is the inference engine that the pool runs, empty when unknown.
	Engine string
	// ModelsAvailable are the models at hand, nil when unknown.
	ModelsAvailable []string
}

// wire states every field that an orchestratord in service insists on.
func (p PoolStatus) wire() nodeapi.PoolStatus {
	status := nodeapi.PoolStatus{
		PoolID:        p.PoolID,
		Ready:         p.Ready,
		Draining:      &p.Draining,
		SlotsFree:     p.SlotsFree,
		SlotsTotal:    &p.SlotsTotal,
		VRAMFreeBytes: &p.VRAMFreeBytes,
		Engine:        unlessZero(p.Engine),
	}
	if p.ModelsAvailable != nil {
		models := slices.Clone(p.ModelsAvailable) // the caller's may change
		status.ModelsAvailable = &models
	}
	return status
}

func unlessZero[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

// StatusFunc returns the status of every pool of the node. It is called before
// each heartbeat, by one goroutine at a time, and should answer at once; its
// context ends with the heartbeats. A heartbeat does not wait for it longer than
// 100 ms: while it is slow, fails, panics or returns what the contract does not
// allow, heartbeats carry the last status it gave, and the fault is logged.
// Before its first answer every pool counts as not ready.
//
// What it returns is copied after it has returned: the next call may reuse that
// memory, and nothing else may write to it.
type StatusFunc func(ctx context.Context) ([]PoolStatus, error)

// statusPatience is how long a heartbeat waits for the status callback.
const statusPatience = 100 * time.Millisecond

var errNoStatus = fmt.Errorf("%w: the status callback is nil", ErrConfig)

var errStatusLate = fmt.Errorf("the status callback has not answered within %v", statusPatience)

// sampler asks the status callback and remembers its last good answer. It runs
// at most one call at a time, on a goroutine of its own, so that a callback that
// blocks holds up nothing but itself.
type sampler struct {
	ask     StatusFunc
	ctx     context.Context // of the calls
	end     func()          // ends it
	last    []nodeapi.PoolStatus
	pending chan sample // not nil while a call runs or its answer waits
}

type sample struct {
	pools []nodeapi.PoolStatus
	err   error
}

func newSampler(ctx context.Context, ask StatusFunc, pools []string) *sampler {
	s := &sampler{ask: ask, last: []nodeapi.PoolStatus{}}
	s.ctx, s.end = context.WithCancel(ctx)
	for _, id := range pools {
		s.last = append(s.last, PoolStatus{PoolID: id}.wire())
	}
	return s
}

// sample returns the status to send now, and what is wrong when it is not fresh.
func (s *sampler) sample() ([]nodeapi.PoolStatus, error) {
	if s.pending != nil {
		// A call from an earlier heartbeat was late: it is not waited for again,
		// and an answer that has come since is older than the one asked for now.
		select {
		case got := <-s.pending:
			s.take(got)
		default:
			return s.last, errStatusLate
		}
	}
	s.pending = make(chan sample, 1)
	go func(answer chan<- sample) { answer <- s.call() }(s.pending)

	patience := time.NewTimer(statusPatience)
	defer patience.Stop()
	select {
	case got := <-s.pending:
		return s.last, s.take(got)
	case <-patience.C:
		return s.last, errStatusLate
	}
}

func (s *sampler) take(got sample) error {
	s.pending = nil
	if got.err == nil {
		s.last = got.pools
	}
	return got.err
}

func (s *sampler) call() (got sample) {
	defer func() {
		if r := recover(); r != nil {
			got = sample{err: fmt.Errorf("the status callback panicked: %v", r)}
		}
	}()
	status, err := s.ask(s.ctx)
	if err != nil {
		return sample{err: fmt.Errorf("the status callback failed: %w", err)}
	}
	pools := make([]nodeapi.PoolStatus, len(status))
	for i, pool := range status {
		pools[i] = pool.wire()
	}
	return sample{pools: pools, err: checkStatus(pools)}
}

func checkStatus(pools []nodeapi.PoolStatus) error {
	var wrong []error
	for _, v := range (nodeapi.HeartbeatRequest{Pools: pools}).Validate() {
		wrong = append(wrong, fmt.Errorf("%s %s", v.Pointer[1:], v.Detail))
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("the status callback breaks the contract: %w", joined{err})
	}
	return nil
}
