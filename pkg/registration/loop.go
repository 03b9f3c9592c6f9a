package registration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// acquire makes the caller the one goroutine that owns the node.
func (n *Node) acquire() error {
	select {
	case <-n.ended:
		return ErrStopped
	default:
	}
	select {
	case n.owner <- struct{}{}:
		return nil
	default:
		return ErrRunning
	}
}

func (n *Node) release() {
	n.observer.plan(time.Time{})
	<-n.owner
}

// beat is the life of a registered node. It ends with the node or with ctx, but
// lets the request in flight come to its end: cut off, it could take effect later.
func (n *Node) beat(ctx context.Context, status StatusFunc) {
	defer n.release()
	live, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()

	n.observer.plan(n.plan.due)
	n.sleep.took()
	pools := newSampler(status, n.config.Pools)
	for n.await(ctx) {
		n.plan = n.plan.slept(n.sleep.took())
		n.attempt(live, n.plan.next(time.Now()), pools)
	}
}

// await blocks until the next request is due, and returns false when the node or
// ctx ends first.
func (n *Node) await(ctx context.Context) bool {
	due := time.NewTimer(time.Until(n.plan.due))
	defer due.Stop()
	for {
		select {
		case <-n.ended:
			return false
		case <-ctx.Done():
			return false
		case <-n.news:
			n.plan = n.plan.notified(time.Now())
			due.Reset(time.Until(n.plan.due))
		case <-due.C:
			return true
		}
	}
}

// attempt sends one request and draws the consequences.
func (n *Node) attempt(ctx context.Context, op operation, pools *sampler) outcome {
	var status []nodeapi.PoolStatus
	if op == beating {
		fresh, err := pools.sample(ctx)
		n.observer.callback(err)
		status = fresh
	}
	ctx, cancel := n.flight(ctx, n.plan.timeout(op))
	defer cancel()

	sent := time.Now()
	var o outcome
	if op == beating {
		ctx, overtake := context.WithCancelCause(ctx)
		n.flying.Store(&overtake)
		defer n.flying.Store(nil)
		o = n.link.heartbeat(ctx, n.config.NodeID, nodeapi.HeartbeatRequest{Timestamp: sent.UTC(), Pools: status})
	} else {
		o = n.link.register(ctx, n.request)
		if o.mayHaveLanded {
			n.mayBeKnown.Store(true)
		}
	}
	now := time.Now()
	n.plan = n.plan.after(op, sent, now, o, n.config.Jitter())
	n.observer.attempt(op, o, now.Sub(sent), n.plan)
	return o
}

// flight bounds one request, and lets Deregister end it when it has to.
func (n *Node) flight(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	stop := context.AfterFunc(n.cut, cancel)
	return ctx, func() { stop(); cancel() }
}

// interrupted says why Register gave up.
func (n *Node) interrupted(ctx context.Context, last error) error {
	err := ctx.Err()
	if err == nil {
		err = ErrStopped
	}
	if last == nil {
		return fmt.Errorf("register: %w", err)
	}
	return fmt.Errorf("register: %w", joined{errors.Join(err, last)})
}
