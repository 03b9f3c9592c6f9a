package registration

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// EventType names what happened.
type EventType string

// What can happen to a node.
const (
	EventRegistered   EventType = "registered"   // orchestratord has put the node on record
	EventOnline       EventType = "online"       // the first good heartbeat after a registration or a failure
	EventHeartbeat    EventType = "heartbeat"    // a good heartbeat after a good one
	EventForgotten    EventType = "forgotten"    // orchestratord does not know the node: it registers again
	EventFailed       EventType = "failed"       // a request was not accepted; Err says which and why
	EventStatusFault  EventType = "status_fault" // heartbeats carry the last known status; Err says why
	EventStatusFresh  EventType = "status_fresh" // heartbeats carry fresh status again
	EventDeregistered EventType = "deregistered" // orchestratord has taken the node off its record
	EventStopped      EventType = "stopped"      // the node has fallen silent, and is on record still
)

// Event is something that happened to a node.
type Event struct {
	Type EventType
	Time time.Time
	// Due is when a registration or heartbeat was to be sent, which a machine that is
	// short of time does late, and Took how long the request took (CLOUD-11002); zero
	// where there was none.
	Due  time.Time
	Took time.Duration
	// CorrelationID finds the request in the logs, empty where there was none.
	CorrelationID string
	// Next is how long it is until the next request, 0 where none is planned.
	Next time.Duration
	// Err says what is wrong: an *Error for a request.
	Err error
	// Dropped counts the events that this receiver has missed so far, because it
	// was slower than they came, or panicked.
	Dropped int
}

// eventRoom is how many events wait for a slow receiver before they are dropped.
const eventRoom = 64

// events delivers events in order on a goroutine that lives only while there are
// some, so that a slow receiver holds up nothing and an idle node holds nothing.
type events struct {
	deliver func(Event)
	log     *slog.Logger

	mu         sync.Mutex
	waiting    []Event
	delivering bool
	dropped    int
	panicked   bool
}

func (q *events) emit(e Event) {
	if q.deliver == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == eventRoom {
		q.dropped++
		return
	}
	e.Dropped = q.dropped
	q.waiting = append(q.waiting, e)
	if !q.delivering {
		q.delivering = true
		go q.drain()
	}
}

func (q *events) drain() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.waiting, q.delivering = nil, false
			q.mu.Unlock()
			return
		}
		e := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		q.call(e)
	}
}

// call keeps a receiver that panics from taking the program down: it is told
// things, not asked.
func (q *events) call(e Event) {
	defer func() {
		if r := recover(); r != nil {
			q.miss(r)
		}
	}()
	q.deliver(e)
}

// miss takes note of an event that the receiver panicked at, and logs the first.
func (q *events) miss(why any) {
	q.mu.Lock()
	first := !q.panicked
	q.panicked = true
	q.dropped++
	q.mu.Unlock()
	if first {
		q.log.Warn("OnEvent misses the events at which it panics", "panic", fmt.Sprint(why))
	}
}

func (q *events) lost() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
