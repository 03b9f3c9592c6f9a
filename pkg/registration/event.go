package registration

import (
	"fmt"
	"sync"
	"time"
)

// EventType names what happened.
type EventType string

// What can happen to a node.
const (
	EventRegistered EventType = "registered" // orchestratord has put the node on record; Reason says why
	EventOnline     EventType = "online"     // the first good heartbeat after a registration or a failure
	EventHeartbeat  EventType = "heartbeat"  // a good heartbeat after a good one
	EventForgotten  EventType = "forgotten"  // orchestratord does not know the node: it registers again
	EventFailed     EventType = "failed"     // a request was not accepted; Err says which and why
	// something is wrong with the status that the callback gave; Err says what
	EventStatusFault EventType = "status_fault"
	EventStatusFresh EventType = "status_fresh" // heartbeats carry fresh status again, as the callback gave it
	// the heartbeats ended with their context, and the node is on record still
	EventSilent       EventType = "silent"
	EventDeregistered EventType = "deregistered" // orchestratord has no record of the node, and the node has ended
	EventStopped      EventType = "stopped"      // the node has ended, and is on record still
)

// Reason is why a node registered.
type Reason string

// The reasons of a registration.
const (
	ReasonStarted   Reason = "started"   // the first of its life, or asked for by Register
	ReasonForgotten Reason = "forgotten" // orchestratord did not know the node
	// no good heartbeat for nearly NodeTimeout: orchestratord may have written it off
	ReasonCutOff    Reason = "cut off"
	ReasonRefreshed Reason = "refreshed" // RegisterEvery is over
	ReasonUpdated   Reason = "updated"   // Update has changed what the node says of itself
)

// Event is something that happened to a node.
type Event struct {
	Type EventType
	Time time.Time
	// Due is when a registration or heartbeat was to be sent, zero where there was none. A
	// machine that is short of time sends it late.
	Due time.Time
	// Took is how long the request took (CLOUD-11002), 0 where there was none.
	Took time.Duration
	// CorrelationID finds the request in the logs, empty where there was none.
	CorrelationID string
	// Reason is why the node registered, empty where it did not.
	Reason Reason
	// Next is how long it is until the next request: 0 where none is planned, a nanosecond where
	// it is due at once.
	Next time.Duration
	// Err says what is wrong: an *Error for a request.
	Err error
	// Dropped counts the events that this receiver has missed so far, because it
	// was slower than they came, panicked, or ended its goroutine.
	Dropped int
}

// receiver returns a function that calls the receiver of events. One that panics takes no
// program down, and the first of its panics is logged.
func (o *observer) receiver(receive func(Event)) func(Event) error {
	var panicked sync.Once
	return func(e Event) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("OnEvent panicked: %v", r)
				panicked.Do(func() {
					o.log.Warn("OnEvent misses the events at which it panics", "panic", clean(fmt.Sprint(r), maxDetail))
				})
			}
		}()
		receive(e)
		return nil
	}
}
