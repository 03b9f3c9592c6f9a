package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

const (
	// atOnce is how many registrations, and how many deregistrations, are in flight at
	// once, at most: enough for thousands a second.
	atOnce = 64
	// rampGrace is how much longer than its ramp a fleet tries to register its nodes.
	rampGrace = time.Minute
	// farewell bounds the end of a whole fleet: its last look at orchestratord's list,
	// and its deregistration. Nodes for which it is not enough are left on record.
	farewell = time.Minute
)

// swarm is a running fleet.
type swarm struct {
	settings
	gauge    *gauge
	client   *http.Client
	moods    [][]registration.PoolStatus
	ledger   *ledger
	progress *progress
	memory   footprint
	trouble

	beats   context.Context // of all heartbeats
	silence func()          // ends them

	registered atomic.Int64 // nodes that have been registered, ever
	up         atomic.Int64 // nodes that are up

	mu    sync.Mutex
	lives []*life // by the node's index, nil before its first
}

func newSwarm(s settings, transport http.RoundTripper, progress *progress) *swarm {
	g := &gauge{RoundTripper: transport, connections: int64(s.connections)}
	swarm := &swarm{
		settings: s,
		gauge:    g,
		client:   &http.Client{Transport: g},
		moods:    moods(s.node.Pools),
		ledger:   newLedger(),
		progress: progress,
		lives:    make([]*life, s.nodes),
	}
	swarm.beats, swarm.silence = context.WithCancel(context.Background())
	return swarm
}

// errInterrupted ends a fleet that is to end before it has begun.
var errInterrupted = errors.New("the fleet was interrupted before any node was registered")

// run runs a fleet until ctx ends or its time is over. It returns an error if the fleet
// could not start.
func (s *swarm) run(ctx context.Context) (*report, error) {
	defer s.silence()
	defer s.progress.follow(s)()
	s.progress.enter("asking orchestratord", 0)
	if err := s.ask(ctx); err != nil && ctx.Err() != nil {
		return nil, errInterrupted
	} else if err != nil {
		return nil, fmt.Errorf("orchestratord cannot be asked for its nodes: %w", err)
	}
	s.memory.begin()
	begin := time.Now()
	err := s.raise(ctx)
	if err == nil {
		s.hold(ctx)
	}
	took, interrupted := time.Since(begin), ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	result := s.settle(ctx, took, interrupted)
	result.Left = s.leave(ctx)
	result.Failures = s.ledger.now().Failures // those to deregister, too
	return result, err
}

// raise registers the nodes, spread over the ramp. It returns when all of them are
// registered, when ctx ends, or when it has taken too long. The error is that of a
// node which never can be registered.
func (s *swarm) raise(ctx context.Context) error {
	s.progress.enter("registering", s.ramp)
	ctx, giveUp := context.WithTimeout(ctx, s.ramp+rampGrace)
	defer giveUp()
	hopeless := make(chan error, 1)
	s.inTurn(ctx, s.ramp, func(index int) {
		if err := s.start(ctx, index); err != nil && ctx.Err() == nil {
			select {
			case hopeless <- err:
				giveUp()
			default:
			}
		}
	})
	close(hopeless)
	return <-hopeless
}

// inTurn calls do for each node in turn, spread over a time. It returns when all calls are
// done or ctx has ended.
func (s *swarm) inTurn(ctx context.Context, spread time.Duration, do func(index int)) {
	turns := make(chan int)
	var workers sync.WaitGroup
	for range min(atOnce, s.nodes) {
		workers.Go(func() {
			for index := range turns {
				do(index)
			}
		})
	}
	defer workers.Wait()
	defer close(turns)
	begin := time.Now()
	for index := range s.nodes {
		turn := time.Duration(float64(spread) * float64(index) / float64(s.nodes))
		if !sleep(ctx, time.Until(begin.Add(turn))) {
			return
		}
		select {
		case turns <- index:
		case <-ctx.Done():
			return
		}
	}
}

// hold lets the fleet run, through the trouble that was asked for, until its time is
// over or ctx ends.
func (s *swarm) hold(ctx context.Context) {
	s.progress.enter("running", s.lifetime)
	if s.lifetime > 0 {
		limited, cancel := context.WithTimeout(ctx, s.lifetime)
		defer cancel()
		ctx = limited
	}
	s.makeTrouble(ctx)
	<-ctx.Done()
}

// settle closes the records of the nodes while they are up, and counts the nodes that
// orchestratord lists.
func (s *swarm) settle(ctx context.Context, took time.Duration, interrupted bool) *report {
	s.progress.enter("asking orchestratord", 0)
	s.memory.look()
	now := time.Now()
	for _, l := range s.living() {
		s.ledger.close(l, now)
	}
	return s.report(took, interrupted, s.census(ctx))
}

// leave deregisters every node that orchestratord may know, until ctx ends, and returns how
// many are left. It stops early if orchestratord does not answer, since each node retries
// for a while before it fails.
func (s *swarm) leave(ctx context.Context) (left int) {
	s.progress.enter("deregistering", 0)
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var gone atomic.Int64
	s.inTurn(ctx, 0, func(index int) {
		l := s.life(index)
		if l == nil || ctx.Err() != nil {
			return
		}
		err := l.leave(ctx)
		if err == nil {
			gone.Add(1)
			return
		}
		s.ledger.kept(err)
		if errors.Is(err, syscall.ECONNREFUSED) {
			giveUp()
		}
	})
	for index := range s.nodes {
		if s.life(index) != nil {
			left++
		}
	}
	return left - int(gone.Load())
}

// life returns the latest life of a node, nil for a node that has had none.
func (s *swarm) life(index int) *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lives[index]
}

// living returns the lives of the nodes that are up.
func (s *swarm) living() (living []*life) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lives {
		if l != nil && l.up.Load() {
			living = append(living, l)
		}
	}
	return living
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
