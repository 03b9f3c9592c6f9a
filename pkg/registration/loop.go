package registration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// acquire makes the caller the one owner of the node.
func (n *Node) acquire() error {
	select {
	case <-n.ended:
		return ErrStopped
	default:
	}
	select {
	case n.owner <- struct{}{}:
		n.observer.metrics.start()
		return nil
	default:
		return ErrRunning
	}
}

func (n *Node) release() {
	n.observer.plan(time.Time{})
	<-n.owner
}

// await blocks until the next attempt to register is due, and returns false when the
// node or ctx ends first.
func (n *Node) await(ctx context.Context) bool {
	due := time.NewTimer(time.Until(n.plan.due))
	defer due.Stop()
	select {
	case <-n.ended:
		return false
	case <-ctx.Done():
		return false
	case <-due.C:
		return true
	}
}

// attempt sends one request and draws the consequences.
func (n *Node) attempt(ctx context.Context, op operation, pools *sampler) outcome {
	// Before the status is sampled: what Notify tells meanwhile may not be part of it.
	ctx, land := n.takeOff(ctx, op)
	defer land()
	var status []nodeapi.PoolStatus
	if op == beating {
		fresh, err := pools.sample()
		n.observer.callback(err)
		status = fresh
	}
	ctx, cancel := context.WithTimeout(ctx, n.plan.timeout(op))
	defer cancel()

	sent := time.Now()
	var o outcome
	if op == beating {
		o = n.link.heartbeat(ctx, n.config.NodeID, nodeapi.HeartbeatRequest{Timestamp: sent.UTC(), Pools: status})
	} else {
		o = n.link.register(ctx, n.config.registration())
		if o.mayHaveLanded {
			n.mayBeKnown.Store(true)
		}
	}
	now, due := time.Now(), n.plan.due
	n.plan = n.plan.after(op, sent, now, o, n.config.Jitter())
	n.observer.attempt(op, due, o, now.Sub(sent), n.plan)
	return o
}

// flight is a request under way.
type flight struct {
	op  operation
	end context.CancelCauseFunc
}

// takeOff lets Notify and Deregister end a request when they have to.
func (n *Node) takeOff(ctx context.Context, op operation) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	n.flying.Store(&flight{op, end})
	if n.cut.Load() {
		end(nil)
	}
	return ctx, func() { n.flying.Store(nil); end(nil) }
}

// cutFlight ends the request under way, and any that follows.
func (n *Node) cutFlight() {
	n.cut.Store(true)
	if f := n.flying.Load(); f != nil {
		f.end(nil)
	}
}

// interrupted says why Register gave up.
func (n *Node) interrupted(ctx context.Context, last error) error {
	err := ctx.Err()
	if err == nil {
		err = ErrStopped
	}
	return fmt.Errorf("register: %w", joined{errors.Join(err, last)})
}
