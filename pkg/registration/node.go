package registration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Node is one GPU node's place in orchestratord's registry, made by New. Its methods may be
// called from any goroutine. In standalone mode all but Run do nothing and return nil.
type Node struct {
	config settings

	// Only the owner sends requests and touches these fields.
	link     *link
	plan     schedule
	sleep    sleep
	observer observer
	reason   Reason // of the last attempt to register
	roster   roster

	life life
}

// New returns a node that is not registered yet; it sends nothing and starts
// nothing. The error, an ErrConfig, lists everything that is wrong with the Config.
// From the node's first use on, the MeterProvider holds it in memory, until Deregister, Stop
// or Run ends its life.
func New(config Config) (*Node, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	config.Logger = slog.New(newUnhurried(config.Logger.Handler()))
	link, err := newLink(config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	n := &Node{
		config: config.settings(),
		link:   link,
		plan:   newSchedule(config, time.Now()),
		sleep:  sleep{wall: time.Now},
		life:   newLife(),
	}
	described := config.description().clone()
	n.life.described.Store(&described)
	n.observer.begin(config, n.plan)
	return n, nil
}

// Register makes the node known to orchestratord (CLOUD-2001) and returns when
// it is. Failures that may pass are retried with growing pauses until ctx ends
// (CLOUD-10021). Each call makes its first attempt at once, whatever became of an earlier
// one, but none if ctx has ended.
//
// The error is an ErrUnauthorized or ErrRefused at the first answer that says so. If ctx or
// the node ends first, it wraps the context's error or ErrStopped, and that of the last
// attempt. ErrRunning means that another call has the node, ErrStopped that it has ended.
// Orchestratord may still carry out a request that ctx has cut off, even after a Deregister.
// A Deregister without the end of ctx waits for the request, and removes what it has made.
//
// Registering again replaces the record (CLOUD-2004). While heartbeats run they register
// the node whenever it is needed. Call Stop on a node that is given up after an error: it
// frees what the node holds.
func (n *Node) Register(ctx context.Context) error {
	if n.standalone() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if err := n.acquire(ctx); err != nil {
		return err
	}
	defer n.release()
	return n.register(ctx)
}

func (n *Node) register(ctx context.Context) error {
	var last error
	for last == nil || n.await(ctx) {
		n.plan = n.plan.slept(n.sleep.took())
		switch o := n.attempt(ctx, registering, nil); o.verdict {
		case accepted:
			return nil
		case refused, unauthorized:
			return o.err
		default:
			last = o.err
		}
	}
	return fmt.Errorf("register: %w", joined{errors.Join(cmp.Or(ctx.Err(), ErrStopped), last)})
}

// StartHeartbeat sends heartbeats in the background (CLOUD-2010) until ctx ends
// or Deregister or Stop is called; status says what they carry. It registers the node
// first if that has not been done, and again whenever orchestratord has lost it.
// Failures are retried for ever, and logged.
//
// The error is ErrRunning when heartbeats run already or the node is being registered, and
// ErrStopped when it has ended. It is ErrConfig without a status, or that of a ctx that has
// ended. Heartbeats whose context has ended may be started again: StartHeartbeat waits for
// their last request.
//
// When ctx ends the node stays on record until orchestratord misses it. A log line, an
// EventSilent and Healthy report that. Done is closed then. Call Deregister to take the
// node out.
func (n *Node) StartHeartbeat(ctx context.Context, status StatusFunc) error {
	switch err := ctx.Err(); {
	case n.standalone():
		return nil
	case status == nil:
		return errNoStatus
	case err != nil:
		return fmt.Errorf("start heartbeats: %w", err)
	}
	if err := n.acquire(ctx); err != nil {
		return err
	}
	n.startPulse(ctx, status)
	return nil
}

// Done returns a channel that is closed when the current heartbeats have ended. Without
// any it is closed already.
func (n *Node) Done() <-chan struct{} {
	if p := n.life.pulse.Load(); p != nil {
		return p.done()
	}
	none := make(chan struct{})
	close(none)
	return none
}

// Notify reports that the status of a pool has changed in a way that should not wait
// for the next heartbeat (CLOUD-3011). A heartbeat is sent at once, but not sooner than a
// second after the last request; notifications in between share one. While requests fail
// the next attempt carries the news, and comes no sooner. Notify never blocks.
//
// A heartbeat in flight may carry an older status. It is cut off after a second, so that
// the news is on its way within 2 s (CLOUD-3013). The heartbeats after one that was cut off
// have all their time, until one is accepted.
func (n *Node) Notify() {
	isNew := !n.life.news.Swap(true)
	n.life.inFlight.Load().overtake()
	if isNew { // older news has woken the pulse already
		n.wake()
	}
}

// wake gives the pulse a turn, on a goroutine of its own. Without heartbeats it does nothing.
func (n *Node) wake() {
	if p := n.life.pulse.Load(); p != nil {
		go p.wake()
	}
}

var errOvertaken = errors.New("it took so long that a newer status was sent instead")

// Update changes what the node says of itself, such as its pools when a GPU fails. A node
// whose heartbeats run registers again at once, or after the heartbeat that comes between
// two registrations. Updates within a second may share a registration. One that fails is
// retried like any renewal. Without heartbeats the description waits for the next
// registration.
//
// Every later heartbeat reports the pools that were left out as not ready, since
// orchestratord may go on giving them work. The error is ErrStopped when the node has ended,
// or an ErrConfig that lists everything that is wrong with the description. The old one stays in
// force then.
func (n *Node) Update(d Description) error {
	switch {
	case n.standalone():
		return nil
	case n.life.hasEnded():
		return ErrStopped
	}
	d = d.clone()
	if err := d.validate(n.config); err != nil {
		return err
	}
	n.life.described.Store(&d)
	if !n.life.updated.Swap(true) {
		n.wake()
	}
	return nil
}

// Run is a node's whole life. It registers the node unless Register has, sends heartbeats
// until ctx ends and, if the Config has a Drain, until that returns; then it deregisters. In
// standalone mode it only waits for ctx and Drain. It returns nil when the node has left as it
// was asked to. Otherwise the error is an ErrUnauthorized or ErrRefused at start-up, the panic
// of the Drain, or the failure to deregister. Failures in between are retried for ever, since
// a node goes on serving while orchestratord is away (CLOUD-10020).
//
// Run leaves as Deregister does, within ShutdownTimeout. With a ctx that has ended it
// registers nothing. It returns ErrRunning or ErrStopped, and does nothing, if the node
// runs already or has ended, and an ErrConfig without a status.
func (n *Node) Run(ctx context.Context, status StatusFunc) error {
	if n.standalone() {
		<-ctx.Done()
		return n.drain(context.WithoutCancel(ctx))
	}
	if status == nil {
		return errNoStatus
	}
	live := context.WithoutCancel(ctx)
	if err := n.acquire(live); err != nil {
		return err
	}
	if ctx.Err() != nil {
		n.release()
		return n.leave(live, n.remove)
	}
	left := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { left <- errors.Join(n.drain(live), n.leave(live, n.remove)) })
	err := n.start(live)
	if err == nil {
		n.startPulse(live, status) // which releases the node
		<-n.life.ended
	} else {
		n.release()
	}
	if stop() {
		left <- n.leave(live, n.remove)
	}
	if errors.Is(err, ErrStopped) {
		err = nil // ctx ended first, as it may
	}
	if err = errors.Join(err, <-left); err != nil {
		err = joined{err}
	}
	return err
}

// start registers a node that is not on record.
func (n *Node) start(ctx context.Context) error {
	if n.plan.next(time.Now()) == beating {
		return nil
	}
	return n.register(ctx)
}

// drain lets the node finish its work while its heartbeats go on. A node that never was on
// record skips it, unless it is standalone: no work was sent there. A second notification
// follows, since the callback may report the pools as draining only after Drain was called.
// Drain has a goroutine of its own, since it may call runtime.Goexit.
func (n *Node) drain(ctx context.Context) error {
	mayHaveWork := n.standalone() || n.life.known.Load() || n.Status().Registrations > 0
	if n.config.drain == nil || !mayHaveWork {
		return nil
	}
	n.observer.draining.Store(true)
	n.Notify()
	time.AfterFunc(notifyGap, n.Notify)
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if r := recover(); r != nil {
				err = faultOf("drain panicked", fmt.Errorf("%v", r))
			}
			done <- err
		}()
		n.config.drain(ctx)
	}()
	return <-done
}
