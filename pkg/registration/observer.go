package registration

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// observer tells the world what becomes of a node: by a line per change of state,
// so that a fleet that is well is quiet, by events, metrics and a snapshot. The
// node's owner calls it; only the snapshot is read by others.
type observer struct {
	log     *slog.Logger
	events  events
	metrics metrics

	trouble verdict   // what the last request came to
	since   time.Time // when the trouble began
	fault   string    // what is wrong with the status callback
	warned  bool      // of a weak token

	mu  sync.Mutex
	now Status
}

func (o *observer) begin(c Config, plan schedule) {
	o.log = c.Logger.With("node_id", c.NodeID, "machine_id", c.MachineID)
	o.events.deliver, o.events.log = c.OnEvent, o.log
	o.now = Status{State: StateNew, Interval: plan.interval}
	o.metrics.begin(c, o.status)
}

func (o *observer) status() Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.DroppedEvents = o.events.lost()
	return o.now
}

// attempt takes note of a request: when it was due, what came of it, how long it
// took, and what the node will do next.
func (o *observer) attempt(op operation, due time.Time, out outcome, took time.Duration, next schedule) {
	o.metrics.record(op, out, took)
	o.warn(out.weakToken)

	event := Event{Type: EventFailed, Due: due, Took: took, CorrelationID: out.correlationID, Next: time.Until(next.due), Err: out.err}
	switch {
	case out.verdict == accepted && op == registering:
		event.Type = EventRegistered
	case out.verdict == accepted && o.now.State == StateOnline:
		event.Type = EventHeartbeat
	case out.verdict == accepted:
		event.Type = EventOnline
	case out.verdict == forgotten:
		event.Type = EventForgotten
	}
	o.say(op, event, out.verdict)
	o.emit(event)
	o.remember(event.Type, out, next)
}

// say logs an event: what repeats, at Debug.
func (o *observer) say(op operation, e Event, v verdict) {
	level, message := slog.LevelDebug, string(e.Type)
	if e.Type == EventHeartbeat && !o.log.Enabled(context.Background(), level) {
		o.trouble = accepted
		return // nearly all that happens is this
	}
	attrs := []slog.Attr{slog.String("correlation_id", e.CorrelationID), slog.Duration("next", e.Next.Round(time.Millisecond))}
	if v != accepted && o.trouble == accepted {
		o.since = time.Now()
	}
	switch e.Type {
	case EventRegistered:
		level, message = slog.LevelInfo, "registered with orchestratord"
	case EventOnline:
		level = slog.LevelInfo
		if o.trouble != accepted {
			attrs = append(attrs, slog.Duration("outage", time.Since(o.since).Round(time.Millisecond)))
		}
	case EventForgotten:
		level, message = slog.LevelWarn, "orchestratord does not know this node: registering again"
	case EventFailed:
		message = string(op) + " failed"
		attrs = append(attrs, slog.Any("error", e.Err))
		if v != o.trouble {
			level = slog.LevelWarn
		}
	}
	if e.Type != EventRegistered { // only a heartbeat ends a trouble
		o.trouble = v
	}
	o.log.LogAttrs(context.Background(), level, message, attrs...)
}

func (o *observer) emit(e Event) {
	e.Time = time.Now()
	o.events.emit(e)
}

func (o *observer) remember(what EventType, out outcome, next schedule) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now.State == StateStopped {
		return // a request that could not be cut off ends after the node
	}
	switch what {
	case EventRegistered:
		o.now.State = StateRegistered
		o.now.Registrations++
	case EventOnline, EventHeartbeat:
		o.now.State = StateOnline
		o.now.LastHeartbeat = next.sent
	default:
		o.now.State = StateFailing
	}
	o.now.Interval = next.interval
	o.now.Failures = next.failures
	o.now.LastError = out.err
	o.now.NextRequest = next.due
}

// plan says when the next request is due; zero when nobody is there to make it.
func (o *observer) plan(due time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.NextRequest = due
}

// callback takes note of what is wrong with the status callback, nil for nothing.
func (o *observer) callback(err error) {
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	switch {
	case fault == o.fault:
		return
	case fault != "":
		o.log.Warn("heartbeats carry the last known status", "error", err)
		o.emit(Event{Type: EventStatusFault, Err: err})
	default:
		o.log.Info("heartbeats carry fresh status again")
		o.emit(Event{Type: EventStatusFresh})
	}
	o.fault = fault
}

// warn tells once that a token is too short (CLOUD-4010).
func (o *observer) warn(weakToken bool) {
	if weakToken && !o.warned {
		o.warned = true
		o.log.Warn("the API token is shorter than 32 bytes: it can be guessed")
	}
}

// departure takes note of the node's last request.
func (o *observer) departure(out outcome, took time.Duration) {
	o.metrics.record(deregistering, out, took)
	o.mu.Lock()
	o.now.LastError = out.err
	if out.err == nil || out.verdict == forgotten {
		o.now.State, o.now.LastError = StateDeregistered, nil
	}
	o.mu.Unlock()
	if out.verdict != accepted && out.verdict != forgotten {
		o.log.Warn("deregister failed", "correlation_id", out.correlationID, "error", out.err)
		o.emit(Event{Type: EventFailed, Took: took, CorrelationID: out.correlationID, Err: out.err})
		return
	}
	o.log.Info("deregistered from orchestratord", "correlation_id", out.correlationID)
	o.emit(Event{Type: EventDeregistered, Took: took, CorrelationID: out.correlationID})
}

// stopped takes note that the node sends nothing any more.
func (o *observer) stopped() {
	o.mu.Lock()
	o.now.State = StateStopped
	o.mu.Unlock()
	o.log.Info("stopped, still registered")
	o.emit(Event{Type: EventStopped})
}
