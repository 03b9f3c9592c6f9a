package registration

import (
	"errors"
	"fmt"
	"time"
)

// State is where a node is in its life.
type State string

// The states of a node.
const (
	StateNew        State = "new"        // not registered yet
	StateRegistered State = "registered" // on record, no good heartbeat yet
	StateOnline     State = "online"     // the last heartbeat was good
	StateFailing    State = "failing"    // the last request was not accepted
	// its heartbeats have ended with their context; on record until it is missed
	StateSilent       State = "silent"
	StateDeregistered State = "deregistered" // off the record, for good
	StateStopped      State = "stopped"      // silent for good, but on record until it is missed
	StateStandalone   State = "standalone"   // serves without an orchestratord
)

// states lists those that the state gauge has.
func states() []State {
	return []State{
		StateNew, StateRegistered, StateOnline, StateFailing, StateSilent, StateDeregistered, StateStopped,
		StateStandalone,
	}
}

// Status is how a node stands with orchestratord, for a debug page.
type Status struct {
	State State
	// LastHeartbeat is when the last good heartbeat was sent, zero before the first.
	LastHeartbeat time.Time
	// NextRequest is when the next request is due, zero while none is planned.
	NextRequest time.Time
	// Interval is the heartbeat interval in effect.
	Interval time.Duration
	// Registrations counts how often orchestratord has put the node on record.
	Registrations int
	// Failures counts the requests that failed since the last good heartbeat, without those
	// that found no record or that Notify cut off.
	Failures int
	// LastError is what was wrong with the last request, nil if it was accepted.
	LastError error
	// StatusFault is what is wrong with the status callback, nil while it answers well.
	StatusFault error
	// DroppedEvents counts the events that OnEvent missed: it was too slow, or panicked.
	DroppedEvents int
}

// Status returns how the node stands now.
func (n *Node) Status() Status {
	s := n.observer.status()
	if n.life.pulse.Load() != nil && n.callbackHangs() { // as the next heartbeat will find
		s.StatusFault = fmt.Errorf("%w: %w", errStatusStale, errStatusLate)
	}
	return s
}

// Ready is for a readiness probe: it returns an error while orchestratord gives the node no
// work. That is the case before its first good heartbeat, while it drains, and once its
// heartbeats have ended. An orchestratord that is away for a while makes no node unready, since
// the node goes on serving. A standalone node is ready until it drains.
func (n *Node) Ready() error {
	s := n.Status()
	if err := s.ended(); err != nil {
		return err
	}
	if n.observer.draining.Load() {
		return errors.New("the node drains")
	}
	if s.State == StateStandalone {
		return nil
	}
	if s.LastHeartbeat.IsZero() {
		return errors.New("orchestratord has had no heartbeat of this node yet")
	}
	return nil
}

// ended returns an error if the heartbeats have ended, or the node has.
func (s Status) ended() error {
	switch s.State {
	case StateSilent:
		return errors.New("the heartbeats have ended with their context")
	case StateDeregistered, StateStopped:
		return fmt.Errorf("the node has ended: %s", s.State)
	}
	return nil
}

// Healthy is for a liveness probe. It returns an error when the node does not do what it
// should and a restart of the program may help. That is the case when
//
//   - a request has been overdue for longer than grace, or has been under way for longer
//     than that after its time was over. Grace is a margin for a busy machine, such as
//     30 s, and no matter of how long ago the last good heartbeat was;
//   - the status callback has given no good answer for NodeTimeout;
//   - the node has not been used yet, its heartbeats have ended with their context, or it
//     has been deregistered or stopped.
//
// An orchestratord that is away makes no node unhealthy, since to restart the node would
// not bring it back. A standalone node is always healthy.
func (n *Node) Healthy(grace time.Duration) error {
	f := n.life.inFlight.Load() // before the status: with none in flight, that knows what is due
	s := n.Status()
	if err := s.ended(); err != nil {
		return err
	}
	if s.State == StateNew && s.NextRequest.IsZero() && f == nil {
		return errors.New("the node has not been started")
	}
	if late := time.Since(s.NextRequest); f == nil && !s.NextRequest.IsZero() && late > grace {
		return fmt.Errorf("the request that was due at %s has not been made: overdue for %v",
			s.NextRequest.Format(time.RFC3339), late.Round(time.Millisecond))
	}
	late := n.link.overdue()
	if f != nil {
		late = max(late, time.Since(f.begun)-n.config.requestTimeout)
	}
	if late > grace {
		return fmt.Errorf("a request is still under way %v after its time was over", late.Round(time.Millisecond))
	}
	if errors.Is(s.StatusFault, errStatusStale) {
		return s.StatusFault
	}
	return nil
}
