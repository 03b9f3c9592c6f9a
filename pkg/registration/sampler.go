package registration

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// StatusFunc returns the status of every pool of the node. It is called before each heartbeat,
// by one goroutine at a time, and should answer at once. Its context ends with the heartbeats.
// Heartbeats that start again do not call it beside a call that is still under way.
//
// A heartbeat waits for it for 100 ms at the most. While it is slow, fails, panics or returns
// what the contract does not allow, heartbeats carry the last status that it gave. Before its
// first answer, and after NodeTimeout without a good one, every pool is reported as not ready.
// In the latter case Healthy fails, too.
//
// Each heartbeat names every pool of the node once, since orchestratord may go on giving
// work to a pool that a heartbeat leaves out. A status is repaired where it has to be:
//
//   - A pool that it leaves out is sent as not ready, without a fault.
//   - A pool that the node does not have is dropped.
//   - Of a pool that is named twice the first one counts.
//   - A pool that is ready and draining is sent as not ready and draining.
//   - A pool with more free slots than slots is sent with all its slots free.
//
// Each fault is logged once, and reported as an EventStatusFault.
//
// The slice is copied after the callback has returned. The next call may reuse its memory;
// nothing else may write to it.
type StatusFunc func(ctx context.Context) ([]PoolStatus, error)

// statusTimeout is how long a heartbeat waits for the status callback.
const statusTimeout = 100 * time.Millisecond

var errNoStatus = fmt.Errorf("%w: the status callback is nil", ErrConfig)

var (
	errStatusLate  = fmt.Errorf("the status callback has not answered within %v", statusTimeout)
	errStatusGone  = errors.New("the status callback ended its goroutine")
	errStatusStale = errors.New("the pools are reported as not ready: no good status for as long as the node timeout")
)

// sampler asks the status callback and remembers its last good answer. It runs at most one
// call at a time, on a goroutine of its own. A callback that blocks holds up nothing but
// itself.
type sampler struct {
	node *Node
	ask  StatusFunc
	ctx  context.Context // of the calls
	end  func()          // ends it

	last  []nodeapi.PoolStatus
	since time.Time // when a call first failed or was late, zero after a good answer
	call  *call     // whose answer has not been taken yet, nil for none
	news  bool      // there is news that no call has covered yet
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

func newSampler(ctx context.Context, node *Node, ask StatusFunc) *sampler {
	s := &sampler{node: node, ask: ask}
	s.ctx, s.end = context.WithCancel(ctx)
	return s
}

// sample returns the status to send now, and what is wrong with the callback or its answer.
func (s *sampler) sample(ctx context.Context) ([]nodeapi.PoolStatus, error) {
	err := s.refresh(ctx)
	if s.since.IsZero() {
		return s.last, err
	}
	s.last, _ = s.node.roster.complete(s.last) // the pools may be others since
	if time.Since(s.since) < s.node.config.nodeTimeout {
		return s.last, err
	}
	return notReady(s.last), fmt.Errorf("%w: %w", errStatusStale, err)
}

// refresh asks the callback anew. It does not wait for an earlier call that still runs. If that
// call has answered meanwhile, the answer is kept, but it is old: the callback is asked again.
func (s *sampler) refresh(ctx context.Context) error {
	if s.call != nil {
		select {
		case got := <-s.call.answer:
			s.take(got)
		default:
			return errStatusLate
		}
	} else if s.node.life.asking.Load() != nil { // for the heartbeats before
		s.fail()
		return errStatusLate
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

// begin starts a call. If it is late, its answer wakes the pulse.
func (s *sampler) begin() {
	c := &call{answer: make(chan sample, 1), begun: time.Now(), covers: s.news}
	s.call, s.news = c, false
	s.node.life.asking.Store(c)
	go func() {
		got := sample{err: errStatusGone}
		defer func() {
			s.node.life.asking.Store(nil)
			c.answer <- got
			if c.late.Load() {
				s.node.wake()
			}
		}()
		got = s.run()
	}()
}

// hasNews reports whether a late answer should be sent at once: Notify asked for it, and
// the heartbeat that followed could not wait for it.
func (s *sampler) hasNews() bool {
	return s.call != nil && len(s.call.answer) > 0 && (s.call.covers || s.news)
}

// callbackHangs reports whether the status callback has taken so long that the pools are sent
// as not ready. It may be called from any goroutine.
func (n *Node) callbackHangs() bool {
	c := n.life.asking.Load()
	return c != nil && time.Since(c.begun) >= n.config.nodeTimeout
}

func (s *sampler) take(got sample) error {
	s.call = nil
	if got.err != nil {
		s.fail()
		return got.err
	}
	var err error
	s.last, err = s.node.roster.complete(got.pools)
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
