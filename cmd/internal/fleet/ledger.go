package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// lateAfter is how long after its tick a heartbeat has to be answered (CLOUD-11002).
const lateAfter = time.Second

// maxFailures is how many kinds of failures are counted apart.
const maxFailures = 20

// beats counts the heartbeats of a fleet; the help of nodesim fleet defines them.
type beats struct {
	Sent     int64 `json:"sent"`
	Answered int64 `json:"answered"`
	Retried  int64 `json:"retried"`
	Missed   int64 `json:"missed"`
	Late     int64 `json:"late"`
}

// tally is the sum of the results of a fleet.
type tally struct {
	Registrations int64            `json:"registrations"`
	Again         int64            `json:"again"` // of these, of nodes that were up and that orchestratord had lost
	Beats         beats            `json:"heartbeats"`
	Latency       latency          `json:"latency"`
	SentLate      time.Duration    `json:"sent_late_ns"` // the longest from when a heartbeat was due until it was sent
	Failures      map[string]int64 `json:"failures"`
}

// add adds the tally of another fleet.
func (t *tally) add(other tally) {
	t.Registrations += other.Registrations
	t.Again += other.Again
	t.Beats.Sent += other.Beats.Sent
	t.Beats.Answered += other.Beats.Answered
	t.Beats.Retried += other.Beats.Retried
	t.Beats.Missed += other.Beats.Missed
	t.Beats.Late += other.Beats.Late
	t.Latency.add(other.Latency)
	t.SentLate = max(t.SentLate, other.SentLate)
	for kind, n := range other.Failures {
		t.Failures[kind] += n
	}
}

// ledger keeps the tally of a fleet, from the events of its nodes.
type ledger struct {
	mu    sync.Mutex
	tally tally
}

// account is what the ledger keeps of one life of a node.
type account struct {
	closed   bool
	answered bool      // it has had a good heartbeat
	tick     time.Time // the first tick that is not answered, zero before it is known
}

func newTally() tally { return tally{Latency: newLatency(), Failures: map[string]int64{}} }

func newLedger() *ledger { return &ledger{tally: newTally()} }

// beats returns the heartbeats so far.
func (l *ledger) beats() beats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tally.Beats
}

// now returns the tally so far.
func (l *ledger) now() tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.tally
	now.Latency = l.tally.Latency.copy()
	now.Failures = maps.Clone(l.tally.Failures)
	return now
}

// note records an event of a life, whose heartbeats are an interval apart, unless its account is closed.
func (l *ledger) note(a *account, e registration.Event, interval time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.closed {
		return
	}
	switch e.Type {
	case registration.EventRegistered:
		l.tally.Registrations++
		switch {
		case a.tick.IsZero():
			a.tick = e.Time.Add(e.Next)
		case e.Reason == registration.ReasonForgotten, e.Reason == registration.ReasonCutOff:
			l.tally.Again++
		}
	case registration.EventOnline, registration.EventHeartbeat:
		l.answered(a, e, interval)
	case registration.EventFailed, registration.EventForgotten:
		l.failed(e.Err)
	}
}

// answered records a successful heartbeat. The event has the time at which the next one is
// due. This one answers the last tick before that.
func (l *ledger) answered(a *account, e registration.Event, interval time.Duration) {
	took := e.Time.Sub(e.Due)
	l.tally.SentLate = max(l.tally.SentLate, took-e.Took)

	beats := &l.tally.Beats
	beats.Sent++
	beats.Answered++
	next := e.Time.Add(e.Next)
	gap := next.Sub(a.tick)
	if !a.answered { // the first one lies off the grid: the tick after it is up to 1.5 intervals after it was sent
		sent := e.Time.Add(-e.Took)
		gap -= min(max(sent.Sub(a.tick), 0), interval/2)
	}
	if ticks := int64(gap.Round(interval) / interval); ticks > 0 { // 0 for one that reported a change
		beats.Missed += ticks - 1
		tick := a.tick
		if ticks > 1 {
			tick = next.Add(-interval)
		}
		sinceTick := e.Time.Sub(tick)
		if sinceTick > lateAfter {
			beats.Late++
		}
		took = max(took, sinceTick) // a retry is due later than its tick
	}
	l.tally.Latency.record(took)
	a.answered = true
	a.tick = next
}

// kept records why a node could not be deregistered.
func (l *ledger) kept(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed(err)
}

// failed records a request that was not accepted.
func (l *ledger) failed(err error) {
	var request *registration.Error
	if !errors.As(err, &request) || request.Op == "register" && errors.Is(err, context.Canceled) {
		return // the fleet was asked to end
	}
	if request.Op == "heartbeat" {
		l.tally.Beats.Sent++
		l.tally.Beats.Retried++
	}
	kind := request.Op + ": " + kindOf(request)
	if _, known := l.tally.Failures[kind]; !known && len(l.tally.Failures) >= maxFailures {
		kind = "others"
	}
	l.tally.Failures[kind]++
}

// kindOf returns the kind of an error, in words that many requests share.
func kindOf(e *registration.Error) string {
	var timeout net.Error
	var network *net.OpError
	switch {
	case e.StatusCode != 0 && e.Code != "":
		return fmt.Sprintf("answered %d %s", e.StatusCode, e.Code)
	case e.StatusCode/100 == 2:
		return fmt.Sprintf("answered %d, but no success", e.StatusCode)
	case e.StatusCode != 0:
		return fmt.Sprintf("answered %d", e.StatusCode)
	case errors.As(e, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.As(e, &network):
		return network.Err.Error()
	default:
		return "the connection broke"
	}
}

// close closes the account of a life. Its unanswered ticks count as missed, except one so
// recent that an answer could still have come in time.
func (l *ledger) close(a *account, now time.Time, interval time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	overdue := now.Sub(a.tick) - lateAfter
	if !a.closed && !a.tick.IsZero() && overdue > 0 {
		l.tally.Beats.Missed += int64(overdue/interval) + 1
	}
	a.closed = true
}

// hasAnswer reports whether a life has had a good heartbeat.
func (l *ledger) hasAnswer(a *account) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return a.answered
}
