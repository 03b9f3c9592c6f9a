package registration

import (
	"context"
	"fmt"
	"time"
)

// Deregister takes the node out of the registry (CLOUD-2020) and ends its life. The heartbeats
// stop, the request in flight comes to its end, the node is removed, and nothing is sent after
// Deregister has returned. A node that orchestratord does not know counts as removed. If no
// registration of this node can be on record, nothing is sent: a record under its name is
// another's.
//
// It takes at most ShutdownTimeout, or until the deadline of ctx if that is
// sooner and still ahead. A slow log or receiver of events may take a tenth of a second
// more. A ctx that is cancelled, before or meanwhile, does not take that time away, since
// Deregister is usually called when the program's context has ended. Failures that may pass
// are retried within the time. An attempt has RequestTimeout at the most, and the first one
// half of the time that is left, in case its connection is dead.
//
// The error is that of the last attempt, or says that the request in flight did not end. The
// node is silent for good all the same, and a further call tries again. Of concurrent calls
// one acts. The others wait for it until their own deadline and return its result.
func (n *Node) Deregister(ctx context.Context) error {
	if n.standalone() {
		return nil
	}
	return n.leave(ctx, n.remove)
}

// Stop ends the node's life as Deregister does, in the same time, but leaves it on record. It
// is for a restart that is quick enough to keep the node's place (CLOUD-2004). A node that is
// not on record ends as deregistered. The first of Stop and Deregister to succeed decides;
// later calls do nothing.
func (n *Node) Stop(ctx context.Context) error {
	if n.standalone() {
		return nil
	}
	return n.leave(ctx, n.keep)
}

// leave ends the node's life with a last act. Of concurrent calls one acts, and the others
// return its result. A later call acts again if that was a failure.
func (n *Node) leave(ctx context.Context, last func(context.Context) error) error {
	tries := n.life.tries.Load()
	n.life.end.Do(func() { close(n.life.ended) })
	n.wake()
	ctx, limit, cancel := n.shutdownContext(ctx)
	defer cancel()
	d := n.life.ending()
	select {
	case d.busy <- struct{}{}:
		defer func() { <-d.busy }()
	case <-ctx.Done():
		return fmt.Errorf("deregister: %w: another call is still at it: %w", ErrUnavailable, ctx.Err())
	}
	if d.final || n.life.tries.Load() != tries {
		return d.err
	}
	if d.err = n.takeOver(ctx, d, limit/2); d.err == nil {
		d.err = last(ctx)
	}
	if d.final = d.err == nil; !d.final {
		n.observer.stopped(d.err)
	}
	n.life.tries.Add(1)
	n.observer.metrics.stop()
	n.link.close()
	n.observer.flush(ctx)
	return d.err
}

// shutdownContext returns a context that ends after ShutdownTimeout or at the deadline of
// ctx, whatever comes first, and how long that is.
func (n *Node) shutdownContext(ctx context.Context) (context.Context, time.Duration, context.CancelFunc) {
	limit := n.config.shutdown
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline); left > 0 {
			limit = min(limit, left)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	return ctx, limit, cancel
}

// takeOver waits until the node's owner has stopped, for good. After the timeout it cuts
// off the owner's request.
func (n *Node) takeOver(ctx context.Context, d *leaving, timeout time.Duration) error {
	if d.owned {
		return nil
	}
	defer n.cancelInFlight() // the timer may not have run when ctx ends
	cut := time.AfterFunc(timeout, n.cancelInFlight)
	defer cut.Stop()
	select {
	case n.life.owner <- struct{}{}:
		d.owned = true
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop: %w: the request in flight did not end: %w", ErrUnavailable, ctx.Err())
	}
}

// keep leaves the node on record if it is.
func (n *Node) keep(context.Context) error {
	if n.life.known.Load() {
		n.observer.stopped(nil)
	} else {
		n.observer.unknown()
	}
	return nil
}

// remove asks orchestratord to forget the node, if it may hold a record that this node has
// made. It retries until that succeeds, is refused, or the next pause would outlast ctx.
func (n *Node) remove(ctx context.Context) error {
	if !n.life.known.Load() {
		n.observer.unknown()
		return nil
	}
	deadline, _ := ctx.Deadline()
	timeout := time.Until(deadline) / 2
	for attempt := 1; ; attempt++ {
		o := n.sendDeregister(ctx, min(timeout, n.config.requestTimeout))
		switch o.verdict {
		case accepted, forgotten:
			return nil
		case refused, unauthorized:
			return o.err
		}
		pause := o.retryAfter + fullJitter(firstBackoff, n.config.shutdown, attempt, n.config.jitter())
		if pause >= time.Until(deadline) {
			return o.err
		}
		time.Sleep(pause)
		timeout = time.Until(deadline)
	}
}

func (n *Node) sendDeregister(ctx context.Context, timeout time.Duration) outcome {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sent := time.Now()
	o := n.link.deregister(ctx, end, n.config.nodeID)
	n.observer.deregistration(o, time.Since(sent))
	return o
}
