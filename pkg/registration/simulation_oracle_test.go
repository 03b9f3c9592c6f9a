package registration_test

import (
	"fmt"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// What the promises of a node are made of.
const (
	leastPause   = 100 * time.Millisecond // between an attempt that failed and the next
	firstPause   = 500 * time.Millisecond // the most before the first retry, doubled for each further one
	newsPause    = time.Second            // between a heartbeat and one with news, and what a slow one has left
	listedWithin = time.Second            // from the first registration to the first heartbeat
	patience     = 100 * time.Millisecond // of a heartbeat with the status callback
	shortestBeat = time.Second            // that orchestratord can direct
	longestBeat  = 5 * time.Minute
	longestAsked = time.Minute // that a Retry-After is obeyed for
	slowest      = time.Minute // between two attempts with a token that is refused
	memoryOf404  = 10 * time.Minute
)

// oracle knows what one node owes at each moment, given what it was answered: which
// request, from when on and by when. It is a model of its own, with neither clocks nor
// networks in it: whoever watches a node feeds it with all that happens to the node.
type oracle struct {
	rules

	duty      duty
	flight    *flight
	again     *flight   // was refused, and there is another token by now
	running   bool      // its heartbeats: what is refused is asked for again, slowly
	run       bool      // has heartbeats follow the registration
	silent    bool      // its heartbeats have ended with their context
	paused    bool      // nobody has the node: it owes nothing until somebody does
	abandoned bool      // the context of its Register has ended
	leaving   time.Time // by when it has to be gone, zero while it stays
	cut       time.Time // from when a request in flight may be cut off, since it leaves
	tries     int       // to leave that have failed
	remove    bool      // what may be on record, before it leaves
	gone      bool      // from the record

	known      bool // as far as the node knows
	landed     bool // orchestratord may have it on record
	lost       bool // was answered 404 since it registered
	renewed    registration.Reason
	update     time.Time // when it last changed
	renew      duty      // when to register although it is known
	beatFirst  bool      // before it registers although it is known: the last time failed
	registered time.Time
	count      int       // registrations
	heard      time.Time // when orchestratord last heard of it, at the least
	beaten     time.Time // when the last heartbeat was sent
	good       time.Time // when the last good one was
	last       time.Time // when the last request was sent
	troubled   time.Time // when something was last not taken
	interval   time.Duration
	phase      time.Time // a tick of its grid, zero while it is not known
	failures   int
	refused    int // in a row
	forgotten  []time.Time
	sampling   time.Time // when the callback was called for a heartbeat that is not sent yet
	calling    bool      // the callback has not answered yet
	news       time.Time // when it heard of a change that no heartbeat can have carried
	unsaid     bool      // a change that the callback has not been asked about since
	perhaps    bool      // there may be such a change
	soon       bool      // has something else to send after the request in flight
	maySoon    bool      // may have
	reminder   time.Time // when it reminds itself of a change, zero for never
	reminded   time.Time // when it last did
	spent      bool      // it has cut off a heartbeat since the last good one
}

// rules are what a node was configured with.
type rules struct {
	ceiling, nodeTimeout, request, backoff, every, shutdown time.Duration

	// draws takes what the node drew, nil for nobody; rotates returns when its token changes
	// next, zero for never.
	draws   func(why string, share float64)
	rotates func(after time.Time) time.Time
}

// duty is one request that is owed.
type duty struct {
	why      string
	from, by time.Time
	drawn    bool // at random, evenly within
	optional bool
}

// flight is a request on its way.
type flight struct {
	op       string
	token    string
	begun    time.Time // when it was sent first
	sent     time.Time
	deadline time.Time
	early    time.Time           // from when it may be given up for another reason
	why      registration.Reason // to register
}

// reply is what became of a request.
type reply struct {
	verdict    verdict
	retryAfter time.Duration
	directed   time.Duration
	landed     answered // whether orchestratord acted on it
}

// verdict is what an answer means.
type verdict string

const (
	taken    verdict = "taken"
	failed   verdict = "failed"
	rejected verdict = "rejected"
	denied   verdict = "denied"
	unknown  verdict = "unknown node"

	overtaken verdict = "overtaken by news"
)

func newOracle(c registration.Config, rotates func(time.Time) time.Time) *oracle {
	or := func(d, otherwise time.Duration) time.Duration {
		if d == 0 {
			return otherwise
		}
		return d
	}
	nodeTimeout := or(c.NodeTimeout, registration.DefaultNodeTimeout)
	interval := or(c.HeartbeatInterval, min(registration.DefaultHeartbeatInterval, nodeTimeout/3))
	return &oracle{paused: true, interval: interval, rules: rules{
		ceiling: c.HeartbeatInterval, nodeTimeout: nodeTimeout,
		request: or(c.RequestTimeout, registration.DefaultRequestTimeout), backoff: c.MaxBackoff,
		every:    or(c.RegisterEvery, registration.DefaultRegisterEvery),
		shutdown: or(c.ShutdownTimeout, registration.DefaultShutdownTimeout), rotates: rotates,
	}}
}

// registers is a call of Register, or of Run, which has heartbeats follow.
func (o *oracle) registers(now time.Time, run bool) {
	o.paused, o.abandoned, o.running, o.run = false, false, false, run
	o.owe("asked to register", now, now)
	o.known = false
}

// runs is a call of Run, which registers the node unless Register has.
func (o *oracle) runs(now time.Time) {
	if !o.known {
		o.registers(now, true)
		return
	}
	o.beats(now)
}

// beats is a call of StartHeartbeat.
func (o *oracle) beats(now time.Time) {
	late := o.paused && now.After(o.duty.by)
	o.paused, o.abandoned, o.silent, o.running, o.run = false, false, false, true, true
	switch {
	case o.duty.why == "tick" && o.phase.IsZero():
		o.duty.why = "first tick" // which may come late, and says nothing of the grid
		o.duty.by = later(o.duty.by, now)
	case o.duty.why == "":
		o.owe("asked to register and beat", now, now)
	case late:
		o.owe("asked to beat", now, now.Add(listedWithin))
		o.duty.drawn = false
	}
}

func (o *oracle) owe(why string, from, by time.Time) {
	o.duty = duty{why: why, from: from, by: by, drawn: from.Before(by)}
}

// settle has nothing owed any more.
func (o *oracle) settle() { o.duty = duty{} }

// owes returns what a node has to send at a time, which may be one of two, and the reason if
// that is to register.
func (o *oracle) owes(at time.Time) (one, other string, why registration.Reason) {
	switch {
	case o.duty.why == "on its way":
		return "heartbeat", "deregister", ""
	case !o.leaving.IsZero():
		return "deregister", "", ""
	case o.count == 0 || !o.known && !o.lost:
		return "register", "", registration.ReasonStarted
	case !o.known:
		return "register", "", registration.ReasonForgotten
	case o.cutOff(at):
		return "register", "", registration.ReasonCutOff
	case o.beatFirst || o.renew.by.IsZero() || at.Before(o.renew.from):
		return "heartbeat", "", ""
	case at.Before(o.renew.by):
		return "heartbeat", "register", o.renewed
	default:
		return "register", "", o.renewed
	}
}

// cutOff reports whether orchestratord may have written the node off by the time at which
// a heartbeat arrives.
func (o *oracle) cutOff(at time.Time) bool {
	return at.Add(patience+o.timeout("heartbeat")).Sub(o.heard) >= o.nodeTimeout
}

func (o *oracle) timeout(op string) time.Duration {
	if op == "heartbeat" && o.failures == 0 {
		return min(o.request, max(time.Second, min(o.interval/2, o.nodeTimeout/4)))
	}
	return o.request
}

func (o *oracle) longestPause() time.Duration {
	longest := o.backoff
	if longest == 0 {
		longest = o.interval / 2
	}
	return min(longest, o.nodeTimeout/2)
}

// sends holds a request against what is owed, and returns what is wrong with it.
func (o *oracle) sends(now time.Time, op, token string) string {
	o.remember(now)
	begin := o.began(now, op)
	complaint := o.judge(begin, now, op)
	why := registration.Reason("")
	if op == "register" {
		_, _, why = o.owes(begin)
	}
	f := &flight{op: op, token: token, begun: now, sent: now, deadline: now.Add(o.timeout(op)), why: why}
	switch {
	case o.again != nil:
		f.begun, f.deadline, f.why = o.again.begun, o.again.deadline, o.again.why
	case op == "deregister":
		f.deadline = earlier(f.deadline, o.leaving)
		f.early = now.Add(f.deadline.Sub(now) / 2)
	case o.duty.why == "on its way":
		o.mustEnd(f)
	case o.duty.why == "tick" && o.phase.IsZero():
		o.phase = begin
	}
	if o.again == nil && complaint == "" && o.draws != nil {
		o.drew(begin, why)
	}
	o.beatFirst = o.beatFirst && op != "heartbeat"
	o.again, o.flight, o.sampling, o.last = nil, f, time.Time{}, f.begun
	if op == "heartbeat" {
		o.beaten = f.begun
	}
	if begin.Equal(o.reminded) { // it carries that or not: both happened at once
		o.perhaps, o.maySoon = true, true
	}
	return complaint
}

// drew takes note of what the node has drawn at random. A refresh waits for a tick: its draw is
// seen where ticks are close by its side.
func (o *oracle) drew(begin time.Time, why registration.Reason) {
	if o.duty.drawn {
		o.draws(o.duty.why, share(begin, o.duty))
	}
	if why == registration.ReasonRefreshed && o.duty.why == "tick" && o.every > 20*o.interval {
		o.draws("refresh", min(share(begin, o.renew), 1))
	}
}

func share(at time.Time, d duty) float64 {
	return float64(at.Sub(d.from)) / float64(d.by.Sub(d.from))
}

// began returns when the node turned to a request: a heartbeat waits for the callback.
func (o *oracle) began(now time.Time, op string) time.Time {
	switch waited := now.Sub(o.duty.by); {
	case op != "heartbeat":
		return now
	case !o.sampling.IsZero() && now.Sub(o.sampling) <= patience:
		return o.sampling
	case o.calling && 0 < waited && waited <= patience:
		return o.duty.by
	}
	return now
}

func (o *oracle) judge(begin, now time.Time, op string) string {
	if o.again != nil {
		if op != o.again.op || !now.Equal(o.again.sent) {
			return fmt.Sprintf("sends a %s %v after its token was refused, want a %s with the new one at once",
				op, now.Sub(o.again.sent), o.again.op)
		}
		return ""
	}
	one, other, _ := o.owes(begin)
	switch {
	case o.flight != nil:
		return fmt.Sprintf("sends a %s while its %s is in flight", op, o.flight.op)
	case o.paused || o.duty.why == "":
		return fmt.Sprintf("sends a %s, and owes nothing (paused %v, on record %v, leaves at %v)",
			op, o.paused, o.landed, o.leaving)
	case begin.Before(o.duty.from):
		return fmt.Sprintf("sends a %s %v too early (%s)", op, o.duty.from.Sub(begin), o.duty.why)
	case begin.After(o.duty.by):
		return fmt.Sprintf("sends a %s %v too late (%s)", op, begin.Sub(o.duty.by), o.duty.why)
	case op != one && op != other:
		return fmt.Sprintf("sends a %s, want a %s %s (%s)", op, one, other, o.duty.why)
	}
	return ""
}

// overdue returns what the node ought to have done by now.
func (o *oracle) overdue(now time.Time) string {
	o.remember(now)
	switch {
	case o.flight != nil && now.After(o.flight.deadline):
		return fmt.Sprintf("still waits for its %s, %v after the timeout", o.flight.op, now.Sub(o.flight.deadline))
	case o.flight != nil && o.mayCut() && now.After(o.news.Add(newsPause)):
		return fmt.Sprintf("has news since %v, and a slow heartbeat in flight", now.Sub(o.news))
	case o.again != nil && now.After(o.again.sent):
		return fmt.Sprintf("has a new token, and did not repeat its %s", o.again.op)
	case o.paused || o.flight != nil || o.duty.why == "" || o.duty.optional:
		return ""
	}
	if late := now.Sub(o.duty.by); late > 0 && !(o.calling && late <= patience) {
		one, other, _ := o.owes(o.duty.by)
		return fmt.Sprintf("has owed a %s %s for %v (%s)", one, other, late, o.duty.why)
	}
	return ""
}

// mayCut reports whether news may cut off the heartbeat in flight.
func (o *oracle) mayCut() bool {
	return o.flight.op == "heartbeat" && !o.news.IsZero() && !o.spent
}

// givesUp is a request that the node itself ended.
func (o *oracle) givesUp(now time.Time, r reply) (meant reply, complaint string) {
	o.remember(now)
	f := o.flight
	switch {
	case now.Equal(f.deadline):
	case o.mayCut() && now.Equal(o.news.Add(newsPause)):
		o.spent, r.verdict = true, overtaken
	case o.maySoon && !o.spent && now.Equal(o.reminded.Add(newsPause)):
		o.spent, o.unsaid, r.verdict = true, true, overtaken
	case !f.early.IsZero() && !now.Before(f.early):
	default:
		complaint = fmt.Sprintf("gave its %s up after %v, want %v", f.op, now.Sub(f.sent), f.deadline.Sub(f.sent))
	}
	o.ends(now, r)
	return r, complaint
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
