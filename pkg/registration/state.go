package registration

import (
	"fmt"
	"time"
)

// State is where a node is in its life.
type State string

// The states of a node.
const (
	StateNew          State = "new"          // not registered yet
	StateRegistered   State = "registered"   // on record, no good heartbeat yet
	StateOnline       State = "online"       // the last heartbeat was good
	StateFailing      State = "failing"      // the last request was not accepted
	StateDeregistered State = "deregistered" // off the record, for good
	StateStopped      State = "stopped"      // silent for good, but on record until it is missed
)

var states = []State{StateNew, StateRegistered, StateOnline, StateFailing, StateDeregistered, StateStopped}

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
	// Failures counts the requests that failed since the last good heartbeat;
	// LastError is what was wrong with the last of them.
	Failures  int
	LastError error
	// DroppedEvents counts the events that OnEvent was too slow for, or panicked at.
	DroppedEvents int
}

// Status returns how the node stands now.
func (n *Node) Status() Status {
	return n.observer.status()
}

// Healthy is for a liveness probe: it returns an error when a request has been
// overdue for longer than maxAge, which means that the node's loop is stuck. An
// orchestratord that is away does not make a node unhealthy, since to restart the
// node would not bring it back. maxAge has to be longer than RequestTimeout.
func (n *Node) Healthy(maxAge time.Duration) error {
	due := n.observer.status().NextRequest
	if overdue := time.Since(due); !due.IsZero() && overdue > maxAge {
		return fmt.Errorf("the request that was due at %s has not been made: overdue for %v", due.Format(time.RFC3339), overdue.Round(time.Millisecond))
	}
	return nil
}
