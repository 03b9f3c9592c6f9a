package fleet

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// trouble counts what was done to a fleet on purpose.
type trouble struct {
	killed, revived atomic.Int64 // nodes
	changed         atomic.Int64 // pools
}

// makeTrouble kills and revives nodes and changes their pools, at the rates that were
// asked for, until ctx ends.
func (f *fleet) makeTrouble(ctx context.Context) {
	var makers sync.WaitGroup
	defer makers.Wait()
	makers.Go(func() {
		every(ctx, f.KillRate, func() { f.kill(ctx, &makers) })
	})
	makers.Go(func() {
		every(ctx, f.ChangeRate, f.change)
	})
}

// seldom is the longest interval between two actions of a rate above zero.
const seldom = 365 * 24 * time.Hour

// every calls do at a rate per second until ctx ends.
func every(ctx context.Context, rate float64, do func()) {
	if rate == 0 {
		return
	}
	ticker := time.NewTicker(time.Duration(min(float64(time.Second)/rate, float64(seldom))))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			do()
		case <-ctx.Done():
			return
		}
	}
}

// kill crashes some node, unless too many are down, and starts it again after its downtime.
func (f *fleet) kill(ctx context.Context, makers *sync.WaitGroup) {
	down := f.killed.Load() - f.revived.Load()
	l := f.any()
	if float64(down) >= f.KillShare*float64(f.Nodes) || l == nil || !l.fall() {
		return
	}
	f.killed.Add(1)
	makers.Go(func() {
		l.crash()
		if sleep(ctx, f.Down) && f.start(ctx, l.index) == nil {
			f.revived.Add(1)
		}
	})
}

// change changes the state of a pool of some node, which reports it at once (CLOUD-3011).
func (f *fleet) change() {
	if l := f.any(); l != nil {
		l.phase.Add(1)
		l.node.Notify()
		f.changed.Add(1)
	}
}

// any returns the life of a node that is up, nil when there was none at hand.
func (f *fleet) any() *life {
	const tries = 10
	for range tries {
		if l := f.life(rand.IntN(f.Nodes)); l != nil && l.up.Load() {
			return l
		}
	}
	return nil
}
