package registration_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// expect takes note of the event that an answer makes.
func (l *life) expect(now time.Time, r *http.Request, f flight, what reply) {
	op := f.op
	if l.oracle.again != nil {
		return // the attempt goes on
	}
	e := registration.Event{
		Type: registration.EventFailed, Reason: f.why, Took: now.Sub(f.begun),
		CorrelationID: r.Header.Get("X-Correlation-Id"),
	}
	switch {
	case op == "deregister" && (what.verdict == taken || what.verdict == unknown):
		e.Type = registration.EventDeregistered
	case op == "deregister":
	case what.verdict == taken && op == "register":
		e.Type, l.state = registration.EventRegistered, registration.StateRegistered
	case what.verdict == taken && l.state == registration.StateOnline:
		e.Type = registration.EventHeartbeat
	case what.verdict == taken:
		e.Type, l.state = registration.EventOnline, registration.StateOnline
	case what.verdict == unknown:
		e.Type, l.state = registration.EventForgotten, registration.StateFailing
	case what.verdict != overtaken:
		l.state = registration.StateFailing
	}
	d := l.oracle.duty
	known := d.why != "" && d.why != "news" && d.why != "refused until the token changed"
	if !known || l.oracle.paused || !l.oracle.leaving.IsZero() {
		d.by = time.Time{}
	}
	l.expected = append(l.expected, expected{e, d.from.Sub(now), d.by.Sub(now)})
}

// dueNow is the Next of an event whose next request is due already: 0 would say that there is none.
const dueNow = time.Nanosecond

// expected is an event, and how long it is until the next request, if that is known.
type expected struct {
	registration.Event
	shortest, longest time.Duration
}

// happens takes note of an event.
func (l *life) happens(e registration.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Err != nil && strings.Contains(e.Err.Error(), token) {
		l.node.world.violated(l.node, "has a token in the event %s", e.Type)
	}
	if e.CorrelationID != "" {
		l.happened = append(l.happened, e)
	}
}

// differs compares the events of requests with those that are expected.
func (l *life) differs() string {
	defer func() { l.expected, l.happened = nil, nil }()
	for i := range max(len(l.expected), len(l.happened)) {
		switch {
		case i >= len(l.happened):
			return fmt.Sprintf("has had no event %s", l.expected[i].Type)
		case i >= len(l.expected):
			return fmt.Sprintf("has had the event %s of nothing: %v", l.happened[i].Type, l.happened[i].Err)
		}
		got, want := l.happened[i], l.expected[i]
		outside := got.Next < max(want.shortest, dueNow) || got.Next > max(want.longest, dueNow)
		if want.longest >= 0 && outside || got.Took != want.Took {
			return fmt.Sprintf("has had the event %s after %v, next %v, want %v, next %v to %v",
				got.Type, got.Took, got.Next, want.Took, want.shortest, want.longest)
		}
		if got.Type == registration.EventFailed {
			want.Reason = got.Reason
		}
		if want.CorrelationID == "" { // nothing was sent
			want.CorrelationID = got.CorrelationID
		}
		if got.Type != want.Type || got.CorrelationID != want.CorrelationID || got.Reason != want.Reason {
			return fmt.Sprintf("has had the event %s (%s) of %s, want %s (%s) of %s: %v",
				got.Type, got.Reason, got.CorrelationID, want.Type, want.Reason, want.CorrelationID, got.Err)
		}
	}
	return ""
}

// check holds a life to the promises at a moment at which nothing moves.
func (l *life) check() {
	l.feed(func(now time.Time) string {
		if complaint := l.differs(); complaint != "" {
			return complaint
		}
		switch {
		case l.over && l.open.Load() != 0:
			return fmt.Sprintf("has left %d bodies open", l.open.Load())
		case l.over:
			return ""
		}
		if complaint := l.oracle.overdue(now); complaint != "" {
			return complaint
		}
		if complaint := l.unlisted(now); complaint != "" {
			return complaint
		}
		return l.misstates(now)
	})
}

// unlisted returns for how long orchestratord has given the node no work, although nothing
// is wrong with either: it has given the node up without a word.
func (l *life) unlisted(now time.Time) string {
	o, w := l.oracle, l.node.world
	owner, listed := w.service.lists(l.config.NodeID)
	excused := l.node.rival || o.troubled.After(o.beaten) || w.weather() != nil || o.paused || !o.leaving.IsZero()
	if excused || listed && owner == l || o.every < 0 {
		l.listed = now
		return ""
	}
	since := later(later(l.listed, o.troubled), later(l.begun, w.calmSince()))
	if late := now.Sub(since); late > o.every+o.interval*3/2+o.request+listedWithin {
		return fmt.Sprintf("has not been listed for %v, without a fault", late)
	}
	return ""
}

// misstates returns what is wrong with the node's own idea of how it stands.
func (l *life) misstates(now time.Time) string {
	o, s := l.oracle, l.real.Status()
	quiet := s.State == registration.StateSilent && s.NextRequest.IsZero() && l.real.Healthy(time.Hour) != nil
	if o.silent && o.paused && !quiet {
		return fmt.Sprintf("has fallen silent, and says that it is %s", s.State)
	}
	if o.paused || !o.leaving.IsZero() || o.flight != nil || o.again != nil || o.duty.why == "" || o.calling {
		return ""
	}
	switch err := l.real.Healthy(time.Second); {
	case err != nil && l.pools.bad.IsZero() && !o.beaten.Before(l.pools.at):
		return fmt.Sprintf("says that it is not healthy: %v", err)
	case err == nil && !l.pools.bad.IsZero() && o.beaten.Sub(l.pools.bad) > o.nodeTimeout+time.Second:
		return fmt.Sprintf("says that it is healthy, and its callback is silent since %v", l.pools.bad)
	case s.State != l.state:
		return fmt.Sprintf("says that it is %s, and is %s", s.State, l.state)
	case s.Registrations != o.count || s.Failures != o.failures || s.Interval != o.interval:
		return fmt.Sprintf("says %d registrations, %d failures, interval %v, want %d, %d, %v",
			s.Registrations, s.Failures, s.Interval, o.count, o.failures, o.interval)
	case !s.LastHeartbeat.Equal(o.good):
		return fmt.Sprintf("says that its last heartbeat was at %v, it was at %v", s.LastHeartbeat, o.good)
	case o.duty.why == "refused until the token changed":
	case s.NextRequest.Before(o.duty.from) || s.NextRequest.After(o.duty.by):
		return fmt.Sprintf("says that its next request is in %v, want %v to %v (%s)",
			s.NextRequest.Sub(now), o.duty.from.Sub(now), o.duty.by.Sub(now), o.duty.why)
	}
	return ""
}
