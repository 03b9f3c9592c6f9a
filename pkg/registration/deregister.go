package registration

import (
	"context"
	"fmt"
	"time"
)

// Deregister takes the node out of the registry (CLOUD-2020) and ends its life:
// the heartbeats stop, the request in flight comes to its end, the node is
// removed, and nothing is sent after Deregister has returned. A node that
// orchestratord does not know counts as removed.
//
// It takes at most ShutdownTimeout, or until the deadline of ctx if that is
// sooner and still ahead. A ctx that is cancelled, before or meanwhile, does not
// take that time away: a shutdown that has already begun is when this is called.
// What may pass is retried within the time, each attempt bounded by RequestTimeout.
// The error is that of the last one; the node is silent for good all the same. Called
// again, it returns what it returned the first time.
func (n *Node) Deregister(ctx context.Context) error {
	return n.leave(ctx, n.remove)
}

// Stop ends the node's life as Deregister does, in the same time, but leaves it on
// record: for a restart that is quick enough to keep the node's place
// (CLOUD-2004). The first of Stop and Deregister decides; the other does nothing.
func (n *Node) Stop(ctx context.Context) error {
	return n.leave(ctx, func(context.Context) error {
		n.observer.stopped()
		return nil
	})
}

// leave ends the node's life with a last act, once.
func (n *Node) leave(ctx context.Context, last func(context.Context) error) error {
	n.end.Do(func() { close(n.ended); n.rouse() })
	n.departure.Do(func() {
		limit := n.config.ShutdownTimeout
		if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil {
			limit = min(limit, time.Until(deadline))
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		defer n.link.close()
		defer n.observer.metrics.stop()

		if n.departed = n.takeOver(ctx, limit/2); n.departed == nil {
			n.departed = last(ctx)
		}
		if n.departed != nil {
			n.observer.stopped()
		}
	})
	return n.departed
}

// removeKnown removes a node that orchestratord may have on record.
func (n *Node) removeKnown(ctx context.Context) error {
	if !n.mayBeKnown.Load() {
		return nil
	}
	return n.remove(ctx)
}

// takeOver waits until the node's owner has stopped, for good. An owner whose
// request does not come to its end in time has it cut off.
func (n *Node) takeOver(ctx context.Context, patience time.Duration) error {
	defer n.cutFlight()
	cut := time.AfterFunc(patience, n.cutFlight)
	defer cut.Stop()
	select {
	case n.owner <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop: %w: the request in flight did not end: %w", ErrUnavailable, ctx.Err())
	}
}

// remove asks orchestratord to forget the node until it has, or the time that ctx has
// left is too short to ask again.
func (n *Node) remove(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	for attempt := 1; ; attempt++ {
		o := n.bidFarewell(ctx)
		switch o.verdict {
		case accepted, forgotten:
			return nil
		case refused, unauthorized:
			return o.err
		}
		pause := o.retryAfter + fullJitter(firstBackoff, n.config.ShutdownTimeout, attempt, n.config.Jitter())
		if pause >= time.Until(deadline) {
			return o.err
		}
		time.Sleep(pause)
	}
}

func (n *Node) bidFarewell(ctx context.Context) outcome {
	ctx, cancel := context.WithTimeout(ctx, n.config.RequestTimeout)
	defer cancel()
	sent := time.Now()
	o := n.link.deregister(ctx, n.config.NodeID)
	n.observer.departure(o, time.Since(sent))
	return o
}
