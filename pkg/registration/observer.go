package registration

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// observer reports what becomes of a node in log lines, events, metrics and a snapshot. It
// logs changes of state only, so that a healthy fleet is quiet. Only the node's owner calls
// it, except for the snapshot and draining, which any goroutine may read.
type observer struct {
	log     *slog.Logger  // on an unhurried handler
	events  *queue[Event] // nil if nobody receives them
	metrics metrics
	trouble *trouble // nil while there is none
	warned  bool     // that a token is weak

	// Drain was called, by whoever runs it. In life this would make each node larger.
	draining atomic.Bool

	mu    sync.Mutex
	now   Status
	spoke State // the state before StateSilent
}

func (o *observer) begin(c Config, plan schedule) {
	o.log = c.Logger.With("node_id", c.NodeID, "machine_id", c.MachineID)
	if c.OnEvent != nil {
		o.events = &queue[Event]{deliver: o.receiver(c.OnEvent)}
	}
	o.now = Status{State: StateNew, Interval: plan.interval}
	if c.Standalone {
		o.now = Status{State: StateStandalone}
	}
	o.metrics.begin(c, o.status)
}

func (o *observer) status() Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.DroppedEvents = o.events.lost()
	return o.now
}

// made is a request that the node has made, and what follows.
type made struct {
	op      operation
	due     time.Time // when the request was due
	reason  Reason    // of a registration
	outcome outcome
	took    time.Duration
	next    schedule
	retried bool // whether another request follows
}

// attempt takes note of a request.
func (o *observer) attempt(m made) {
	o.metrics.record(m.op, m.outcome, m.took)
	o.warn(m.outcome)
	event := Event{
		Type: o.typeOf(m), Due: m.due, Took: m.took, CorrelationID: m.outcome.correlationID,
		Err: m.outcome.err,
	}
	if m.retried {
		event.Next = max(time.Until(m.next.due), time.Nanosecond)
	}
	if event.Type == EventRegistered {
		event.Reason = m.reason
	}
	o.remember(event.Type, m)
	o.say(event, m)
	o.emit(event)
}

func (o *observer) typeOf(m made) EventType {
	switch {
	case m.outcome.verdict == accepted && m.op == registering:
		return EventRegistered
	case m.outcome.verdict == accepted && o.status().State == StateOnline:
		return EventHeartbeat
	case m.outcome.verdict == accepted:
		return EventOnline
	case m.outcome.verdict == forgotten:
		return EventForgotten
	}
	return EventFailed
}

// say logs an event. The usual ones, and failures that repeat, are logged at Debug; that the node
// is unknown is always a warning.
func (o *observer) say(e Event, m made) {
	level, message := slog.LevelDebug, string(e.Type)
	if e.Type == EventHeartbeat && !o.log.Enabled(context.Background(), level) {
		return // nearly all that happens is this
	}
	attrs := append(make([]slog.Attr, 0, 4), slog.String("correlation_id", e.CorrelationID)) // no more than 4
	if m.retried {
		attrs = append(attrs, slog.Duration("next", e.Next.Round(time.Millisecond)))
	}
	switch e.Type {
	case EventRegistered:
		message, attrs = "registered with orchestratord", append(attrs, slog.String("reason", string(e.Reason)))
		if e.Reason != ReasonRefreshed {
			level = slog.LevelInfo
		}
	case EventOnline:
		if m.reason != ReasonRefreshed {
			level = slog.LevelInfo
		}
		if outage := o.recovered().Round(time.Millisecond); outage > 0 {
			level, attrs = slog.LevelInfo, append(attrs, slog.Duration("outage", outage))
		}
	case EventForgotten:
		level, message = slog.LevelWarn, "orchestratord does not know this node"
		if m.retried {
			message += ": registering again"
		}
		o.meets(m.op, e.Err) // so that the end of this trouble is logged
	case EventFailed:
		message = string(m.op) + " failed"
		attrs = append(attrs, slog.Any("error", e.Err))
		if m.outcome.verdict != overtaken && o.meets(m.op, e.Err) {
			level, attrs = slog.LevelWarn, append(attrs, o.trouble.attrs(time.Now())...)
		}
	}
	o.log.LogAttrs(context.Background(), level, message, attrs...)
}

func (o *observer) emit(e Event) {
	if o.events == nil {
		return
	}
	e.Time = time.Now()
	o.events.put(func(dropped int) Event { e.Dropped = dropped; return e })
}

func (o *observer) remember(what EventType, m made) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.now.State
	switch what {
	case EventRegistered:
		o.now.State = StateRegistered
		o.now.Registrations++
	case EventOnline, EventHeartbeat:
		o.now.State = StateOnline
		o.now.LastHeartbeat = m.next.sent
	default:
		if m.outcome.verdict != overtaken {
			o.now.State = StateFailing
		}
	}
	if before == StateStopped { // the node was ended without waiting for this request
		o.now.State = before
	}
	o.now.Interval = m.next.interval
	o.now.Failures = m.next.failures
	o.now.LastError = m.outcome.err
	o.now.NextRequest = m.next.due
}

// plan sets when the next request is due, zero if none is planned. A silent node that has a
// request due gets its former state back.
func (o *observer) plan(due time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.NextRequest = due
	if o.now.State == StateSilent && !due.IsZero() {
		o.now.State = o.spoke
	}
}

// callback notes the current fault of the status callback, nil for none. Only a change is
// reported.
func (o *observer) callback(err error) {
	o.mu.Lock()
	before := o.now.StatusFault
	o.now.StatusFault = err
	o.mu.Unlock()
	if withoutNumbers(textOf(err)) == withoutNumbers(textOf(before)) {
		return
	}
	if err == nil {
		o.log.Info("heartbeats carry fresh status again")
		o.emit(Event{Type: EventStatusFresh})
		return
	}
	o.log.Warn("heartbeats do not carry the status as it is", "error", err)
	o.emit(Event{Type: EventStatusFault, Err: err})
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// warn logs once that the token sent is too short (CLOUD-4010).
func (o *observer) warn(out outcome) {
	if weak := out.token != "" && len(out.token) < strongToken; weak && !o.warned {
		o.warned = true
		o.log.Warn("the API token is shorter than 32 bytes: it can be guessed")
	}
}

// deregistration takes note of a request to deregister.
func (o *observer) deregistration(out outcome, took time.Duration) {
	o.metrics.record(deregistering, out, took)
	if out.verdict == accepted || out.verdict == forgotten {
		o.end(StateDeregistered, nil)
		o.log.Info("deregistered from orchestratord", "correlation_id", out.correlationID)
		o.emit(Event{Type: EventDeregistered, Took: took, CorrelationID: out.correlationID})
		return
	}
	o.log.Warn("deregister failed", "correlation_id", out.correlationID, "error", out.err)
	o.emit(Event{Type: EventFailed, Took: took, CorrelationID: out.correlationID, Err: out.err})
}

// unknown takes note that the node ends, and that orchestratord has no record of it.
func (o *observer) unknown() {
	o.end(StateDeregistered, o.status().LastError)
	o.log.Info("ended: orchestratord has no record of this node")
	o.emit(Event{Type: EventDeregistered})
}

// stopped takes note that the node has ended, and is on record still. A further failure to
// deregister is not reported again.
func (o *observer) stopped(err error) {
	if before := o.end(StateStopped, err); before == StateStopped {
		return
	}
	o.log.Info("stopped, still registered")
	o.emit(Event{Type: EventStopped})
}

func (o *observer) end(state State, err error) (before State) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before = o.now.State
	o.now.State, o.now.NextRequest, o.now.LastError = state, time.Time{}, err
	return before
}

// silent takes note that the heartbeats have ended with their context.
func (o *observer) silent() {
	o.mu.Lock()
	o.spoke, o.now.State = o.now.State, StateSilent
	o.mu.Unlock()
	o.log.Warn("the heartbeats have ended with their context: orchestratord will count this node as offline")
	o.emit(Event{Type: EventSilent})
}

// flush waits until log and receiver have everything, for flushTimeout at most. Where the shutdown
// has used up its time, what went wrong has leastFlush to be said.
func (o *observer) flush(shutdown context.Context) {
	deadline, _ := shutdown.Deadline()
	timeout := min(max(time.Until(deadline), leastFlush), flushTimeout)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(shutdown), timeout)
	defer cancel()
	o.events.flush(ctx)
	o.log.Handler().(unhurried).lines.flush(ctx) // last, since a panic of the receiver is logged
}

// flushTimeout and leastFlush are how long the end of a node waits for a receiver or a log that is slow.
const (
	flushTimeout = time.Second
	leastFlush   = 100 * time.Millisecond
)
