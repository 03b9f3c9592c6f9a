package registration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Node is one GPU node's place in orchestratord's registry. Its methods may be
// called from any goroutine.
type Node struct {
	config Config
	link   link

	// owner is full while somebody owns the node, a caller or the pulse: only the
	// owner sends requests, and touches what stands below it.
	owner    chan struct{}
	plan     schedule
	sleep    sleep
	observer observer

	// mayBeKnown tells that orchestratord may hold a record of the node.
	mayBeKnown atomic.Bool

	pulse  atomic.Pointer[pulse]  // the heartbeats, nil while there are none
	news   chan struct{}          // capacity 1: notifications coalesce
	flying atomic.Pointer[flight] // the owner's request, nil for none
	cut    atomic.Bool            // no request may be in flight any more, the last resort

	ended chan struct{} // closed when the node is to send nothing but its farewell
	end   sync.Once

	departure sync.Once
	departed  error
}

// New returns a node that is not registered yet; it sends nothing and starts
// nothing. The error, an ErrConfig, lists everything that is wrong with the Config.
// Once it has been used, the MeterProvider holds the node until Deregister, Stop or
// Run has ended its life.
func New(config Config) (*Node, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	link, err := newLink(config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	n := &Node{
		config: config,
		link:   link,
		owner:  make(chan struct{}, 1),
		plan:   newSchedule(config, time.Now()),
		sleep:  sleep{wall: time.Now},
		news:   make(chan struct{}, 1),
		ended:  make(chan struct{}),
	}
	n.observer.begin(config, n.plan)
	return n, nil
}

// Register makes the node known to orchestratord (CLOUD-2001) and returns when
// it is. What may pass is retried with growing pauses for as long as ctx lives
// (CLOUD-10021). The error is an ErrUnauthorized or ErrRefused at the first answer
// that says so, or wraps both the context's error and that of the last attempt. Each
// call makes its first attempt at once, whatever became of an earlier one.
//
// Registering again replaces the record (CLOUD-2004). While the heartbeats run
// they do so whenever it is needed, and Register returns ErrRunning. A node that is
// given up after an error needs Stop, which lets go of what it holds.
func (n *Node) Register(ctx context.Context) error {
	if err := n.acquire(); err != nil {
		return err
	}
	defer n.release()
	return n.register(ctx)
}

func (n *Node) register(ctx context.Context) error {
	var last error
	for last == nil || n.await(ctx) {
		switch o := n.attempt(ctx, registering, nil); o.verdict {
		case accepted:
			return nil
		case refused, unauthorized:
			return o.err
		default:
			last = o.err
		}
	}
	return n.interrupted(ctx, last)
}

// StartHeartbeat sends heartbeats in the background (CLOUD-2010) until ctx ends
// or Deregister is called; status tells what they say. It registers the node
// first if that has not been done, and again whenever orchestratord has lost it;
// what fails is retried for ever, and logged. The error is ErrRunning when the
// node has its heartbeats already, ErrStopped, or ErrConfig for want of a status.
//
// When ctx ends the node stays registered until it is missed; call Deregister to
// take it out.
func (n *Node) StartHeartbeat(ctx context.Context, status StatusFunc) error {
	if status == nil {
		return errNoStatus
	}
	if err := n.acquire(); err != nil {
		return err
	}
	n.beat(ctx, status)
	return nil
}

// Notify says that the status of a pool has changed in a way that should not wait
// for the next heartbeat (CLOUD-3011). One is sent at once, but not sooner than a
// second after the last; notifications in between are told in one go. A heartbeat
// in flight, whose status may be older, has a second to come to its end, so that
// the news is on its way within 2 s (CLOUD-3013). While requests fail the next attempt
// tells the news, and comes no sooner for it. Notify never blocks.
func (n *Node) Notify() {
	select {
	case n.news <- struct{}{}:
		if f := n.flying.Load(); f != nil && f.op == beating {
			time.AfterFunc(notifyGap, func() { f.end(errOvertaken) })
		}
		n.rouse()
	default:
	}
}

// rouse has the heartbeats, if there are any, see to what has changed.
func (n *Node) rouse() {
	if p := n.pulse.Load(); p != nil {
		go p.rouse()
	}
}

var errOvertaken = errors.New("it took so long that a newer status was sent instead")

// Run is a node's whole life: it registers the node, sends heartbeats until ctx
// ends and, if the Config has a Drain, until that returns; then it deregisters. It
// returns nil when the node has left as it was asked to, or what went wrong: an
// ErrUnauthorized or ErrRefused at start-up, or the failure to deregister. What
// happens in between is retried for ever, since a node goes on serving while
// orchestratord is away (CLOUD-10020).
//
// Run leaves as Deregister does, within ShutdownTimeout, except that a node which
// orchestratord cannot know of sends nothing. A node that runs already, or has
// ended, is left alone: the error is then ErrRunning or ErrStopped.
func (n *Node) Run(ctx context.Context, status StatusFunc) error {
	if n.config.Standalone {
		<-ctx.Done()
		return nil
	}
	if status == nil {
		return errNoStatus
	}
	if err := n.acquire(); err != nil {
		return err
	}
	live, left := context.WithoutCancel(ctx), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(left)
		n.drain(live)
		_ = n.leave(live, n.removeKnown)
	})
	err := n.register(live)
	if err == nil {
		n.beat(live, status) // which releases the node
		<-n.ended
	} else {
		n.release()
	}
	if !stop() {
		<-left
	}
	if errors.Is(err, ErrStopped) {
		err = nil // ctx ended first, as it may
	}
	return errors.Join(err, n.leave(live, n.removeKnown))
}

// drain lets the node finish its work, with its heartbeats going on. One that
// orchestratord does not know has been given no work.
func (n *Node) drain(ctx context.Context) {
	if n.config.Drain != nil && n.mayBeKnown.Load() {
		n.Notify()
		n.config.Drain(ctx)
	}
}
