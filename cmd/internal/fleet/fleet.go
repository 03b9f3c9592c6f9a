// Package fleet runs many simulated nodes in one process, each of them the real client, and
// reports what became of their heartbeats.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

const (
	// concurrency is how many registrations, and how many deregistrations, are in flight at
	// once, at most: enough for thousands a second.
	concurrency = 64
	// rampGrace is how much longer than its ramp a fleet tries to register its nodes.
	rampGrace = time.Minute
	// endTimeout bounds the end of a whole fleet: its last look at orchestratord's list,
	// and its deregistration. Nodes for which it is not enough are left on record. A node
	// whose turn comes just as it is over still has its shutdown timeout, which makes it a minute. Before
	// that, registrations in flight have half of such a timeout to come to their end.
	endTimeout = time.Minute - registration.DefaultShutdownTimeout
	// heapGrowth is by how much the heap of a fleet grows between two garbage collections, in
	// percent. Each has all nodes to look at, and heartbeats wait for it. At Go's 100 that takes
	// a fifth of a fleet of 100,000, at 200 an eighth.
	heapGrowth = 200
)

// ErrInterrupted ends a fleet that is to end before it has begun.
var ErrInterrupted = errors.New("the fleet was interrupted before any node was registered")

// Run runs a fleet until ctx ends or its lifetime is over, and shows its progress on out. The
// error is that of a fleet that could not start: ErrInterrupted, or what kept it.
func Run(ctx context.Context, s Settings, out io.Writer) (*Report, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(heapGrowth))
	transport, err := s.transport()
	if err != nil {
		return nil, err
	}
	f := newFleet(s, transport, newProgress(out))
	defer f.client.CloseIdleConnections()
	return f.run(ctx)
}

// fleet is a running fleet.
type fleet struct {
	Settings
	gauge    *gauge
	client   *http.Client
	phases   [][]registration.PoolStatus
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

func newFleet(s Settings, transport http.RoundTripper, progress *progress) *fleet {
	g := &gauge{RoundTripper: transport, connections: int64(s.Connections)}
	f := &fleet{
		Settings: s,
		gauge:    g,
		client:   &http.Client{Transport: g},
		phases:   phases(s.Node.Pools),
		ledger:   newLedger(),
		progress: progress,
		lives:    make([]*life, s.Nodes),
	}
	f.beats, f.silence = context.WithCancel(context.Background())
	return f
}

// run runs the fleet, once.
func (f *fleet) run(ctx context.Context) (*Report, error) {
	defer f.silence()
	defer f.progress.follow(f)()
	f.progress.enter("asking orchestratord", 0)
	if err := f.ask(ctx); err != nil && ctx.Err() != nil {
		return nil, ErrInterrupted
	} else if err != nil {
		return nil, fmt.Errorf("orchestratord cannot be asked for its nodes: %w", err)
	}
	f.memory.begin()
	begin := time.Now()
	err := f.raise(ctx)
	if err == nil {
		f.hold(ctx)
	}
	took, interrupted := time.Since(begin), ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	result := f.settle(ctx, took, interrupted)
	result.Left = f.leave(ctx)
	result.Failures = f.ledger.now().Failures // those to deregister, too
	return result, err
}

// raise registers the nodes, spread over the ramp. It returns when all of them are
// registered, when ctx ends, or when it has taken too long. The error is that of a
// node which never can be registered.
func (f *fleet) raise(ctx context.Context) error {
	f.progress.enter("registering", f.Ramp)
	ctx, giveUp := context.WithTimeout(ctx, f.Ramp+rampGrace)
	defer giveUp()
	fatal := make(chan error, 1)
	f.inTurn(ctx, f.Ramp, func(index int) {
		if err := f.start(ctx, index); err != nil && ctx.Err() == nil {
			select {
			case fatal <- err:
				giveUp()
			default:
			}
		}
	})
	close(fatal)
	return <-fatal
}

// inTurn calls do for each node in turn, spread over a time. It returns when all calls are
// done or ctx has ended.
func (f *fleet) inTurn(ctx context.Context, spread time.Duration, do func(index int)) {
	turns := make(chan int)
	var workers sync.WaitGroup
	for range min(concurrency, f.Nodes) {
		workers.Go(func() {
			for index := range turns {
				do(index)
			}
		})
	}
	defer workers.Wait()
	defer close(turns)
	begin := time.Now()
	for index := range f.Nodes {
		turn := time.Duration(float64(spread) * float64(index) / float64(f.Nodes))
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
func (f *fleet) hold(ctx context.Context) {
	f.progress.enter("running", f.Lifetime)
	if f.Lifetime > 0 {
		limited, cancel := context.WithTimeout(ctx, f.Lifetime)
		defer cancel()
		ctx = limited
	}
	f.makeTrouble(ctx)
	<-ctx.Done()
}

// settle closes the records of the nodes while they are up, and counts the nodes that
// orchestratord lists.
func (f *fleet) settle(ctx context.Context, took time.Duration, interrupted bool) *Report {
	f.progress.enter("asking orchestratord", 0)
	f.memory.look()
	now := time.Now()
	for _, l := range f.living() {
		l.close(now)
	}
	return f.report(took, interrupted, f.census(ctx))
}

// leave deregisters every node that orchestratord may know, until ctx ends, and returns how
// many are left. It stops early if orchestratord does not answer, since each node retries
// for a while before it fails.
func (f *fleet) leave(ctx context.Context) (left int) {
	f.progress.enter("deregistering", 0)
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var gone atomic.Int64
	f.inTurn(ctx, 0, func(index int) {
		l := f.life(index)
		if l == nil || ctx.Err() != nil {
			return
		}
		err := l.leave(ctx)
		if err == nil {
			gone.Add(1)
			return
		}
		f.ledger.kept(err)
		if errors.Is(err, syscall.ECONNREFUSED) {
			giveUp()
		}
	})
	for index := range f.Nodes {
		if f.life(index) != nil {
			left++
		}
	}
	return left - int(gone.Load())
}

// life returns the latest life of a node, nil for a node that has had none.
func (f *fleet) life(index int) *life {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lives[index]
}

// living returns the lives of the nodes that are up.
func (f *fleet) living() (living []*life) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.lives {
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
