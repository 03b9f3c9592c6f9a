package registration_test

import (
	"math"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// answered says what is known of what a request has done at orchestratord.
type answered string

const (
	didLand  answered = "it did"
	mayLand  answered = "it may have"
	didNot   answered = "it did not"
	offAgain answered = "it has no such node"
)

// ends draws the consequences of an answer, or of there being none.
func (o *oracle) ends(now time.Time, r reply) {
	o.remember(now)
	f := o.flight
	o.flight = nil
	if r.verdict != taken {
		o.troubled = now
	}
	o.lands(f.op, r.landed)
	if r.verdict == denied && o.hasNewToken(now, f) {
		o.again = &flight{op: f.op, begun: f.begun, sent: now, deadline: f.deadline, why: f.why}
		return
	}
	news := !o.news.IsZero()
	o.news = time.Time{}
	o.follows(now, f, r)
	if news && o.leaving.IsZero() && r.verdict != overtaken {
		o.hasNews(now)
	}
	o.paused = o.paused || o.silent || o.abandoned
	if o.soon && o.leaving.IsZero() && !o.silent {
		o.hasNews(now)
	}
	if o.maySoon && o.leaving.IsZero() && !o.silent {
		o.mayHaveNews(now)
	}
	o.soon, o.maySoon = false, false
	if !o.leaving.IsZero() && f.op != "deregister" && o.duty.why != "leaves" {
		o.goes(now)
	}
}

// follows is what a verdict makes a node owe.
func (o *oracle) follows(now time.Time, f *flight, r reply) {
	switch {
	case f.op == "deregister":
		o.removes(now, r)
	case r.verdict == taken && f.op == "register":
		o.isRegistered(now, f)
	case r.verdict == taken:
		o.isOnline(now, f, r)
	case r.verdict == unknown:
		o.isForgotten(now)
	case r.verdict == overtaken && o.failures > 0:
		o.refused = 0
		o.pause("overtaken", now, firstPause, firstPause, 1)
	case r.verdict == overtaken:
		o.refused = 0
		o.duty = duty{why: "overtaken", from: now, by: later(now.Add(firstPause), o.last.Add(newsPause))}
	default:
		o.fails(now, f, r)
	}
}

func (o *oracle) lands(op string, landed answered) {
	switch {
	case landed == didLand, landed == mayLand && op == "register":
		o.landed = true
	case landed == offAgain:
		o.landed = false
	}
}

// hasNewToken reports whether the source gives another token than the one that was refused.
func (o *oracle) hasNewToken(now time.Time, f *flight) bool {
	change := o.rotates(f.sent)
	return !change.IsZero() && !change.After(now)
}

func (o *oracle) isRegistered(now time.Time, f *flight) {
	first := o.count == 0
	o.count++
	o.known, o.lost, o.beatFirst = true, false, true
	o.renew, o.renewed = duty{}, registration.ReasonRefreshed
	if o.every > 0 {
		o.renew = duty{from: now.Add(o.every / 2), by: now.Add(o.every)}
	}
	if o.update.After(f.begun) {
		o.renew, o.renewed = duty{from: now, by: now}, registration.ReasonUpdated
	}
	o.registered, o.heard = now, f.begun
	o.refused = 0
	o.running, o.paused = o.run, !o.run
	switch {
	case first:
		o.owe("first heartbeat", now, now.Add(listedWithin))
	case o.failures > 0:
		o.owe("heartbeat after an outage", now, now.Add(min(o.longestPause(), o.interval/2)))
	default:
		o.owe("heartbeat behind a registration", now, now)
	}
}

func (o *oracle) isOnline(now time.Time, f *flight, r reply) {
	o.failures, o.refused, o.spent = 0, 0, false
	o.heard, o.good = f.begun, f.begun
	if interval := o.directed(r.directed); interval != o.interval {
		o.interval, o.phase = interval, f.begun
	}
	o.tick(now, f.begun)
	if o.renewed == registration.ReasonUpdated && !now.Before(o.renew.by) {
		o.hasNews(now)
	}
}

// directed returns the interval that holds once orchestratord has asked for one.
func (o *oracle) directed(d time.Duration) time.Duration {
	switch {
	case d <= 0:
		return o.interval
	case o.ceiling > 0:
		return min(o.ceiling, max(d, shortestBeat))
	default:
		return min(max(d, shortestBeat), longestBeat)
	}
}

// tick owes a heartbeat at the next point of the grid that is not within half an interval
// of the last one.
func (o *oracle) tick(now, sent time.Time) {
	not := later(now, sent.Add(o.interval/2))
	if o.phase.IsZero() {
		o.owe("tick", not, not.Add(o.interval))
		return
	}
	next := o.phase.Add(time.Duration(math.Floor(not.Sub(o.phase).Seconds()/o.interval.Seconds())-1) * o.interval)
	for !next.After(not) {
		next = next.Add(o.interval)
	}
	o.owe("tick", next, next)
}

// isForgotten has the node register: at once the first time, and ever later when it is
// forgotten time and again.
func (o *oracle) isForgotten(now time.Time) {
	if n := len(o.forgotten); n > 0 && now.Sub(o.forgotten[n-1]) > memoryOf404 {
		o.forgotten = nil
	}
	o.known, o.lost, o.refused = false, true, 0
	switch n := len(o.forgotten); {
	case n > 0:
		o.pause("cooldown", now, time.Second, slowest, n)
	case o.failures > 0:
		o.owe("forgotten in an outage", now, now.Add(o.longestPause()/2))
	default:
		o.owe("forgotten", now, now)
	}
	o.forgotten = append(o.forgotten, now)
}

// pause owes something after a pause drawn from what grows with the attempts.
func (o *oracle) pause(why string, now time.Time, first, longest time.Duration, attempt int) {
	most := time.Duration(min(float64(longest), float64(first)*math.Pow(2, float64(attempt-1))))
	o.owe(why, now.Add(leastPause), now.Add(max(leastPause, most)))
}

func (o *oracle) fails(now time.Time, f *flight, r reply) {
	o.failures++
	final := !o.running && f.op == "register"
	renewal := f.why == registration.ReasonRefreshed || f.why == registration.ReasonUpdated
	if renewal && o.known {
		o.beatFirst = !o.cutOff(now) && r.verdict != denied
	}
	if renewal && o.known && !o.update.After(f.begun) {
		o.renew.from, o.renew.by = now, now.Add(max(o.every, longestBeat))
	}
	switch {
	case (r.verdict == rejected || r.verdict == denied) && final && o.run:
		o.leaves(now, o.shutdown, true)
	case (r.verdict == rejected || r.verdict == denied) && final:
		o.settle()
		o.paused = true
	case r.verdict == rejected && f.op == "heartbeat":
		o.tick(now, f.begun)
	case r.verdict == rejected && renewal && !o.cutOff(now):
		o.owe("heartbeat in place of a registration", now, now)
	case r.verdict == rejected, r.verdict == denied:
		o.isRefused(now, r)
	default:
		o.refused = 0
		o.pause("retry", now.Add(r.retryAfter), max(firstPause, r.retryAfter), o.longestPause(), o.failures)
	}
}

// isRefused has the node ask again slowly, and at once when it has another token.
func (o *oracle) isRefused(now time.Time, r reply) {
	most := slowest
	if o.refused++; o.refused == 1 {
		most = min(slowest, o.nodeTimeout/2)
	}
	least := max(r.retryAfter, most/2)
	o.owe("refused", now.Add(least), now.Add(max(most, least+least/4)))
	change := o.rotates(now)
	if r.verdict == denied && !change.IsZero() && change.Add(time.Second).Before(o.duty.by) {
		o.duty = duty{
			why: "refused until the token changed", from: earlier(change, o.duty.from),
			by: change.Add(time.Second),
		}
	}
}

// notified is a change that should not wait.
func (o *oracle) notified(now time.Time) {
	o.unsaid = true
	if o.flight != nil || !o.sampling.IsZero() {
		if o.news.IsZero() {
			o.news = now
		}
		return
	}
	o.hasNews(now)
}

// changed is a change that waits for the request in flight to end, and does not cut it off.
func (o *oracle) changed(now time.Time) {
	if o.soon = o.flight != nil || !o.sampling.IsZero(); !o.soon {
		o.hasNews(now)
	}
}

// mayHaveChanged is a change that an earlier heartbeat has carried, or not.
func (o *oracle) mayHaveChanged(now time.Time) {
	if o.maySoon = o.flight != nil || !o.sampling.IsZero(); !o.maySoon {
		o.mayHaveNews(now)
	}
}

// hasNews brings the next heartbeat forward, unless requests fail: the next attempt then
// carries the news.
func (o *oracle) hasNews(now time.Time) {
	if o.known && o.failures == 0 && o.duty.why != "" && o.leaving.IsZero() {
		o.mayHaveNews(now)
		if by := later(now, o.last.Add(newsPause)); by.Before(o.duty.by) {
			o.duty = duty{why: "news", from: o.duty.from, by: by}
		}
	}
}

// mayHaveNews is a change that the next heartbeat carries, or the last one did.
func (o *oracle) mayHaveNews(now time.Time) {
	if from := later(now, o.beaten.Add(newsPause)); from.Before(o.duty.from) && o.known && o.failures == 0 {
		o.duty.from, o.duty.drawn = from, false
	}
}

// changes is a call of Update: the node registers at once, or at its next attempt.
func (o *oracle) changes(now time.Time) {
	if o.count > 0 || o.flight != nil {
		o.update, o.renew, o.renewed = now, duty{from: now, by: now}, registration.ReasonUpdated
		o.changed(now)
	}
}

// slept is a clock on the wall that ran ahead of the timers.
func (o *oracle) slept(d time.Duration) {
	if d >= time.Second {
		o.heard = o.heard.Add(-d)
	}
}

// fallsSilent is the end of the heartbeats with their context: the request in flight is the last.
func (o *oracle) fallsSilent(now time.Time) {
	o.silent, o.unsaid = true, o.unsaid && !o.news.IsZero() // heard at the next start
	o.paused = o.flight == nil && o.again == nil && !o.begins(now)
}

// begins reports whether a heartbeat is about to be sent, and may be whatever happens.
func (o *oracle) begins(now time.Time) bool {
	return !o.sampling.IsZero() && now.Sub(o.sampling) <= patience
}

// abandons is the end of the context of a Register: the request in flight is cut off.
func (o *oracle) abandons(now time.Time) {
	o.abandoned = true
	if o.flight != nil {
		o.flight.early = now
		return
	}
	o.paused = true
}

// leaves is the end of its life, which takes no longer than limit.
func (o *oracle) leaves(now time.Time, limit time.Duration, remove bool) {
	o.remember(now)
	o.leaving, o.cut, o.remove, o.paused = now.Add(limit), now.Add(limit/2), remove, false
	if o.flight != nil {
		o.mustEnd(o.flight)
		return
	}
	o.again = nil
	o.goes(now)
	if o.begins(now) {
		o.duty = duty{why: "on its way", from: now.Add(-patience), by: now.Add(patience), optional: true}
	}
}

// mustEnd is the time that a request in flight has when the node leaves.
func (o *oracle) mustEnd(f *flight) {
	f.deadline = earlier(f.deadline, o.leaving)
	if f.early.IsZero() {
		f.early = o.cut
	}
}

// goes owes the last request, if there is anything to remove.
func (o *oracle) goes(now time.Time) {
	o.settle()
	if o.remove && o.landed {
		o.owe("leaves", now, now)
	}
}

func (o *oracle) removes(now time.Time, r reply) {
	o.settle()
	switch r.verdict {
	case taken, unknown:
		o.gone, o.landed = true, false
	case failed:
		o.tries++
		o.pause("leaves", now.Add(r.retryAfter), firstPause, slowest, o.tries)
		o.duty.from = now // a dead connection is given up for a new one at once
		o.duty.optional = !o.duty.by.Before(o.leaving)
	}
}

// drains is the begin of its end, which is a change: the callback may know of it at once, or
// within a second.
func (o *oracle) drains(now time.Time) {
	o.notified(now)
	o.reminder = now.Add(time.Second)
}

// remember has the node notify itself once more of what the callback may not have known.
func (o *oracle) remember(now time.Time) {
	if at := o.reminder; !at.IsZero() && !now.Before(at) && o.leaving.IsZero() {
		o.reminder, o.reminded = time.Time{}, at
		o.notified(at)
	}
}
