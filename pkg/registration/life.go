package registration

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// life is how the goroutines around a node agree on who may do what. At each stage one of
// them owns the node:
//
//	Register                    StartHeartbeat, Run              Deregister, Stop, end of Run
//	────────                    ───────────────────              ────────────────────────────
//	fill owner                  fill owner                       close ended
//	attempt, await, attempt …   pulse: turn … turn … turn        wake the pulse, wait for owner:
//	empty owner                 at ended or the end of its       cancel what is in flight at
//	                            context: empty owner             half of the time
//	                                                             keep owner, DELETE
//
// Notify, Update and a late status callback set a flag and wake the pulse. Whoever may have to
// wait long waits on a channel, not on a lock: each caller keeps its own deadline.
type life struct {
	owner chan struct{} // full while somebody owns the node: a caller, the pulse, or its end
	pulse atomic.Pointer[pulse]

	inFlight  atomic.Pointer[inFlight]
	described atomic.Pointer[Description]
	asking    atomic.Pointer[call] // of the status callback, until it returns
	news      atomic.Bool          // Notify was called, and the pulse has not seen it yet
	updated   atomic.Bool          // the description has not been sent yet
	known     atomic.Bool          // orchestratord may hold a record that this node has made
	canceled  atomic.Bool          // registrations and heartbeats are cancelled, also those to come

	tries   atomic.Int32 // finished tries to leave
	end     sync.Once
	ended   chan struct{}           // closed when the node is to send nothing but its deregistration
	leaving atomic.Pointer[leaving] // made when it is needed
}

// leaving is how a node has ended.
type leaving struct {
	busy  chan struct{} // full while a call takes the node out; it guards the fields below
	owned bool          // the node's owner has stopped, and no other can come
	final bool          // there is nothing left to do
	err   error         // of the last try
}

func newLife() life {
	return life{
		owner: make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
}

// ending returns how the node ends, which all callers share.
func (l *life) ending() *leaving {
	l.leaving.CompareAndSwap(nil, &leaving{busy: make(chan struct{}, 1)})
	return l.leaving.Load()
}

// hasEnded reports whether the node is to send nothing but its deregistration.
func (l *life) hasEnded() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// acquire makes the caller the owner of the node. It waits only for heartbeats whose context
// has ended, since they are about to release the node.
func (n *Node) acquire(ctx context.Context) error {
	for {
		if n.life.hasEnded() {
			return ErrStopped
		}
		p := n.life.pulse.Load() // before the attempt: it may release the node right after it
		select {
		case n.life.owner <- struct{}{}:
			n.observer.metrics.start()
			return nil
		default:
		}
		if p == nil || p.ctx.Err() == nil {
			return ErrRunning
		}
		select {
		case <-p.done():
		case <-n.life.ended:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrRunning, context.Cause(ctx))
		}
	}
}

func (n *Node) release() {
	n.observer.plan(time.Time{})
	<-n.life.owner
}

// inFlight is a request under way.
type inFlight struct {
	op       operation
	begun    time.Time
	cancel   context.CancelCauseFunc
	overtook bool        // an earlier heartbeat was cut off already
	armed    atomic.Bool // the timer that cuts it off runs
}

// overtake cuts off a heartbeat unless it ends within a second.
func (f *inFlight) overtake() {
	if f == nil || f.op != beating || f.overtook || f.armed.Swap(true) {
		return
	}
	time.AfterFunc(notifyGap, func() { f.cancel(errOvertaken) })
}

// begin returns the context of a request that Notify and Deregister can cut off.
func (n *Node) begin(ctx context.Context, op operation) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	n.life.inFlight.Store(&inFlight{op: op, begun: time.Now(), cancel: cancel, overtook: n.link.overtook})
	if n.life.canceled.Load() {
		cancel(errEnding)
	}
	return ctx, cancel
}

// done takes note that the request under way has ended.
func (n *Node) done(cancel context.CancelCauseFunc) {
	n.life.inFlight.Store(nil)
	cancel(nil)
}

// cancelInFlight ends the request under way, and any that follows.
func (n *Node) cancelInFlight() {
	n.life.canceled.Store(true)
	if f := n.life.inFlight.Load(); f != nil {
		f.cancel(errEnding)
	}
}

var errEnding = fmt.Errorf("the node is leaving: %w", context.Canceled)
