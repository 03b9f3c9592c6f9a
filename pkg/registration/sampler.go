package registration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// StatusFunc returns the status of every pool of the node. It is called before
// each heartbeat, by one goroutine at a time, and should answer at once; its
// context ends with the heartbeats. A heartbeat does not wait for it longer than
// 100 ms: while it is slow, fails, panics or returns what the contract does not
// allow, heartbeats carry the last status it gave. After NodeTimeout without a good
// answer every pool goes as not ready, and Healthy fails. Before its first answer every
// pool counts as not ready.
//
// Each heartbeat names every pool of the node once, since orchestratord may go on giving
// work to a pool that a heartbeat leaves out. A pool that the status leaves out goes as not
// ready. One that the node does not have is dropped, of one that is named twice the first
// counts, one that is ready and drains goes as draining, and one with more free slots than
// slots goes with as many as it has.
//
// Whatever is wrong is logged once, and reported as an EventStatusFault.
//
// What it returns is copied after it has returned: the next call may reuse that
// memory, and nothing else may write to it.
type StatusFunc func(ctx context.Context) ([]PoolStatus, error)

// statusTimeout is how long a heartbeat waits for the status callback.
const statusTimeout = 100 * time.Millisecond

var errNoStatus = fmt.Errorf("%w: the status callback is nil", ErrConfig)

var (
	errStatusLate  = fmt.Errorf("the status callback has not answered within %v", statusTimeout)
	errStatusStale = errors.New("the pools go as not ready, since there has been no good status for the node timeout")
)

// sampler asks the status callback and remembers its last good answer. It runs
// at most one call at a time, on a goroutine of its own, so that a callback that
// blocks holds up nothing but itself.
type sampler struct {
	ask     StatusFunc
	ctx     context.Context // of the calls
	end     func()          // ends it
	late    func()          // is called after an answer that no heartbeat waited for
	longest time.Duration   // without a good answer before the pools go as not ready

	pools   []string // that the node has
	retired []string // that it had before an update
	last    []nodeapi.PoolStatus
	since   time.Time            // when a call first failed or was late, zero after a good answer
	call    *call                // nil while none runs or has an answer that waits
	running atomic.Pointer[call] // that has not answered yet
	news    bool                 // there is news that no call has covered yet
}

// call is a call of the status callback.
type call struct {
	answer chan sample
	begun  time.Time
	covers bool        // it began after news that has not been sent yet
	late   atomic.Bool // no heartbeat waits for it any more
}

type sample struct {
	pools []nodeapi.PoolStatus
	err   error
}

func newSampler(ctx context.Context, ask StatusFunc, longest time.Duration, late func()) *sampler {
	s := &sampler{ask: ask, late: late, longest: longest}
	s.ctx, s.end = context.WithCancel(ctx)
	return s
}

// after has the sampler name the pools that an earlier one has named: orchestratord remembers
// them.
func (s *sampler) after(earlier *sampler) *sampler {
	if earlier != nil {
		s.pools, s.retired = earlier.pools, earlier.retired
	}
	return s
}

// serve sets the pools of the node. Those that it had before go as not ready for good:
// an orchestratord that merges heartbeats never forgets a pool. The oldest give way where the
// contract does not allow so many in one heartbeat.
func (s *sampler) serve(pools []string) {
	if s.last != nil && slices.Equal(s.pools, pools) {
		return
	}
	for _, id := range s.pools {
		if !slices.Contains(pools, id) && !slices.Contains(s.retired, id) {
			s.retired = append(s.retired, id)
		}
	}
	s.retired = slices.DeleteFunc(s.retired, func(id string) bool { return slices.Contains(pools, id) })
	s.pools = pools
	last := s.last
	s.last, _ = s.complete(last)
	for len(s.retired) > 0 && (nodeapi.HeartbeatRequest{Pools: s.last}).Validate() != nil {
		s.retired = s.retired[1:]
		s.last, _ = s.complete(last)
	}
}

// sample returns the status to send now, and what is wrong with the callback or its answer.
func (s *sampler) sample(ctx context.Context) ([]nodeapi.PoolStatus, error) {
	err := s.refresh(ctx)
	if err == nil || s.since.IsZero() {
		return s.last, err
	}
	if time.Since(s.since) < s.longest {
		return s.last, err
	}
	return notReady(s.last), fmt.Errorf("%w: %w", errStatusStale, err)
}

// refresh asks the callback anew. A call from an earlier heartbeat is not waited for
// again, and an answer that has come since is older than the one asked for now.
func (s *sampler) refresh(ctx context.Context) error {
	if s.call != nil {
		select {
		case got := <-s.call.answer:
			s.take(got)
		default:
			return errStatusLate
		}
	}
	s.begin()
	timeout := time.NewTimer(statusTimeout)
	defer timeout.Stop()
	select {
	case got := <-s.call.answer:
		return s.take(got)
	case <-timeout.C:
	case <-ctx.Done():
	}
	s.call.late.Store(true)
	select {
	case got := <-s.call.answer: // at the last moment
		return s.take(got)
	default:
		s.fail()
		return errStatusLate
	}
}

// begin starts a call, which wakes the node if it is late.
func (s *sampler) begin() {
	c := &call{answer: make(chan sample, 1), begun: time.Now(), covers: s.news}
	s.call, s.news = c, false
	s.running.Store(c)
	go func() {
		got := s.run()
		s.running.Store(nil)
		c.answer <- got
		if c.late.Load() {
			s.late()
		}
	}()
}

// hasNews reports whether an answer has come that a heartbeat should carry at once: Notify
// asked for it, and the heartbeat that was sent then could not wait for it.
func (s *sampler) hasNews() bool {
	return s.call != nil && len(s.call.answer) > 0 && (s.call.covers || s.news)
}

// hangs reports whether the callback has been at it for so long that the pools go as not
// ready. It may be called by anyone.
func (s *sampler) hangs() bool {
	c := s.running.Load()
	return c != nil && time.Since(c.begun) >= s.longest
}

func (s *sampler) take(got sample) error {
	s.call = nil
	if got.err != nil {
		s.fail()
		return got.err
	}
	var err error
	s.last, err = s.complete(got.pools)
	s.since = time.Time{}
	return err
}

func (s *sampler) fail() {
	if s.since.IsZero() {
		s.since = time.Now()
	}
}

func (s *sampler) run() (got sample) {
	defer func() {
		if r := recover(); r != nil {
			got = sample{err: faultOf("the status callback panicked", fmt.Errorf("%v", r))}
		}
	}()
	status, err := s.ask(s.ctx)
	if err != nil {
		return sample{err: faultOf("the status callback failed", err)}
	}
	pools := make([]nodeapi.PoolStatus, len(status))
	for i, pool := range status {
		pools[i] = pool.wire()
	}
	return sample{pools: pools, err: checkStatus(pools)}
}

func checkStatus(pools []nodeapi.PoolStatus) error {
	var wrong faults
	for _, v := range (nodeapi.HeartbeatRequest{Pools: pools}).Validate() {
		wrong.add("%s %s", v.Pointer[1:], v.Detail)
	}
	return wrong.err("the status callback breaks the contract")
}
