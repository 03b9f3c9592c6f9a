package fleet

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// life is one node of a fleet, from its start to its end. A node that starts again
// begins another.
type life struct {
	fleet   *fleet
	index   int
	node    *registration.Node
	up      atomic.Bool  // registered, with its heartbeats
	gone    atomic.Bool  // has a record that it may not deregister: it has crashed, or succeeds one that has
	phase   atomic.Int32 // which of the phases its pools are in
	account account      // in the ledger
}

// start begins a life of a node: it registers the node and has its heartbeats sent.
// The error is that of a node which cannot be registered, or of ctx.
func (f *fleet) start(ctx context.Context, index int) error {
	l := &life{fleet: f, index: index}
	config := f.config(index, f.client)
	config.OnEvent = l.happened
	node, err := registration.New(config)
	if err != nil {
		return err
	}
	l.node = node
	f.mu.Lock()
	first := f.lives[index] == nil
	f.lives[index] = l
	f.mu.Unlock()
	l.gone.Store(!first)
	if err := l.register(ctx); err != nil {
		return err
	}
	if first {
		f.registered.Add(1)
	}
	l.rise()
	return node.StartHeartbeat(f.beats, l.status)
}

// register registers the node. The end of ctx ends the life, and does not cut off the request in flight:
// orchestratord might carry that out after the node has been deregistered.
func (l *life) register(ctx context.Context) error {
	live := context.WithoutCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = l.node.Deregister(live) })
	err := l.node.Register(live)
	if err == nil {
		l.gone.Store(false)
	}
	if !stop() { // the life has ended
		return ctx.Err()
	}
	return err
}

func (l *life) rise() {
	l.up.Store(true)
	l.fleet.up.Add(1)
}

// fall takes the node down, and reports whether this call did it.
func (l *life) fall() bool {
	fell := l.up.CompareAndSwap(true, false)
	if fell {
		l.fleet.up.Add(-1)
	}
	return fell
}

func (l *life) happened(e registration.Event) {
	l.fleet.ledger.note(&l.account, e, l.node.Status().Interval)
}

// close closes the account of the life.
func (l *life) close(now time.Time) { l.fleet.ledger.close(&l.account, now, l.node.Status().Interval) }

// crash ends a life without deregistration: the node falls silent and stays registered. The end of the
// fleet does not hasten it, since it would cut off the request in flight.
func (l *life) crash() {
	l.gone.Store(true)
	l.close(time.Now())
	_ = l.node.Stop(context.Background())
}

// leave ends a life and deregisters the node. One whose record is that of a crash starts
// once more for that, since a node can remove only a record that it has made.
func (l *life) leave(ctx context.Context) error {
	l.fall()
	if !l.gone.Load() {
		return l.node.Deregister(ctx)
	}
	node, err := registration.New(l.fleet.config(l.index, l.fleet.client))
	if err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, registration.DefaultShutdownTimeout)
	defer cancel()
	return errors.Join(node.Register(soon), node.Deregister(ctx))
}

// status is the status callback of the node. All nodes share a few statuses, so that the
// cost of a heartbeat is the cost of the client.
func (l *life) status(context.Context) ([]registration.PoolStatus, error) {
	phases := l.fleet.phases
	return phases[int(l.phase.Load())%len(phases)], nil
}
