package registration

import (
	"math"
	"time"
)

const (
	// firstBackoff is the longest pause before the first retry; each further one
	// may be twice as long, up to the longest backoff.
	firstBackoff = 500 * time.Millisecond
	// shortestPause is the least backoff, whatever the jitter.
	shortestPause = 100 * time.Millisecond
	// slowRetry is the longest pause after a refusal: a token may be rotated and an
	// orchestratord rolled back, but not every second.
	slowRetry = time.Minute
	// firstBeatWithin spreads the first heartbeats of a fleet that starts at once.
	// Orchestratord lists a node only after its first heartbeat.
	firstBeatWithin = time.Second
	// shortestBeatTimeout is the least time that a heartbeat should have, however short
	// the interval: orchestratord may take a second for one (CLOUD-11002).
	shortestBeatTimeout = time.Second
	// notifyGap is the least time between a heartbeat and one sent by Notify. A change is sent
	// within 2 s (CLOUD-3013), and ten changes in one heartbeat.
	notifyGap = time.Second
	// A node that was forgotten registers again at once the first time. Each further
	// time within forgiveness it waits longer, up to longestCooldown.
	firstCooldown   = time.Second
	longestCooldown = time.Minute
	forgiveness     = 10 * time.Minute
)

// schedule decides what a node sends next, and when. It is a value: each outcome
// makes a new one. Neither clocks nor networks come into it, so that every rule of when
// registrations and heartbeats are sent can be read, and tested, here.
type schedule struct {
	ceiling        time.Duration // configured interval, 0 when orchestratord directs it
	nodeTimeout    time.Duration
	requestTimeout time.Duration
	maxBackoff     time.Duration // 0 for half of the interval
	registerEvery  time.Duration // 0 or less for never

	due        time.Time     // when to send the next request
	interval   time.Duration // between heartbeats
	grid       time.Time     // heartbeats are due at grid + n × interval
	confirmed  time.Time     // when the last accepted request was sent
	sent       time.Time     // when the last request was sent
	failures   int           // attempts that failed since the last good heartbeat
	refusals   int           // attempts in a row that were refused
	registered bool          // whether orchestratord should know the node
	locked     bool          // the token was refused: a new one is tried at once
	beatFirst  bool          // a heartbeat comes before the next renewal, however late that is
	newTokens  int           // new ones in a row that were tried so, and refused

	renewal       time.Time // when to register although orchestratord knows the node, zero for never
	renewalReason Reason
	renewalTries  int // renewals in a row that were not accepted

	forgotten   int // times in a row that orchestratord forgot the node
	forgottenAt time.Time
}

func newSchedule(c Config, now time.Time) schedule {
	interval := c.HeartbeatInterval
	setDefault(&interval, c.firstInterval())
	return schedule{
		ceiling:        c.HeartbeatInterval,
		nodeTimeout:    c.NodeTimeout,
		requestTimeout: c.RequestTimeout,
		maxBackoff:     c.MaxBackoff,
		registerEvery:  c.RegisterEvery,
		interval:       interval,
		due:            now,
	}
}

// next returns what to send at a given time.
func (s schedule) next(now time.Time) operation {
	if s.why(now) != "" {
		return registering
	}
	return beating
}

// why returns the reason to register at a given time, empty when the node should beat.
//
// A node registers when orchestratord may have written it off by the time its heartbeat
// arrives. Where orchestratord directs an interval nearly as long as the timeout, that is
// before every heartbeat. One request too many is cheaper than a node whose heartbeats are
// answered for ever and that is given no work.
func (s schedule) why(now time.Time) Reason {
	arrival := now.Add(statusTimeout + s.timeout(beating))
	switch {
	case s.grid.IsZero():
		return ReasonStarted
	case !s.registered:
		return ReasonForgotten
	case arrival.Sub(s.confirmed) >= s.nodeTimeout:
		return ReasonCutOff
	case !s.beatFirst && !s.renewal.IsZero() && !now.Before(s.renewal):
		return s.renewalReason
	}
	return ""
}

// slept returns the schedule of a node whose machine was asleep: what
// orchestratord confirmed is older than the timers say.
func (s schedule) slept(d time.Duration) schedule {
	s.confirmed = s.confirmed.Add(-d)
	return s
}

// timeout returns how long a request may take. A heartbeat that is well ends before the
// next one is due, and before a node that has just registered can be written off. While
// heartbeats fail they get more time: orchestratord may be slow rather than away.
func (s schedule) timeout(op operation) time.Duration {
	if op != beating || s.failures > 0 {
		return s.requestTimeout
	}
	return min(s.requestTimeout, max(s.shortestBeat(), min(s.interval/2, s.nodeTimeout/4)))
}

// shortestBeat is the least time that a heartbeat has. Where the timeout leaves less than a
// second, a node would count as cut off at each tick, and register in place of its heartbeats.
func (s schedule) shortestBeat() time.Duration {
	return min(shortestBeatTimeout, s.nodeTimeout/2-2*statusTimeout)
}

// after returns the schedule that follows an attempt: what was sent, when, what
// came of it and when; jitter is a number in [0, 1).
func (s schedule) after(op operation, sent, now time.Time, o outcome, jitter float64) schedule {
	why := s.why(sent)
	s.sent = sent
	s.locked = o.verdict == unauthorized
	s.beatFirst = s.beatFirst && op != beating
	if o.verdict != refused && o.verdict != unauthorized {
		s.refusals, s.newTokens = 0, 0
	}
	switch {
	case o.verdict == accepted && op == registering:
		return s.afterRegister(now, jitter)
	case o.verdict == accepted:
		return s.afterBeat(now, o.nextBeat)
	case o.verdict == forgotten:
		return s.afterForgotten(now, jitter)
	case o.verdict == overtaken:
		s.due = now.Add(shortestPause + scale(firstBackoff-shortestPause, jitter))
		return s
	case op == registering && (why == ReasonRefreshed || why == ReasonUpdated):
		s.beatFirst = o.verdict != unauthorized
		return s.postponeRenewal(now).afterFailure(op, now, o, jitter)
	}
	return s.afterFailure(op, now, o, jitter)
}

// afterRegister spreads the first heartbeats of a fleet that starts at once over a
// second, and their later ones over the interval. After failures a whole fleet may be
// coming back: the heartbeats are spread over half of the interval or the longest backoff,
// whichever is less. Any other node beats right away, since it registered at its own tick.
func (s schedule) afterRegister(now time.Time, jitter float64) schedule {
	s.registered = true
	s.beatFirst = true
	s.confirmed = s.sent
	s.due = now
	switch {
	case s.grid.IsZero():
		s.grid = now.Add(scale(s.interval, jitter))
		s.due = now.Add(scale(firstBeatWithin, jitter))
	case s.failures > 0:
		s.due = now.Add(scale(min(s.longestBackoff(), s.interval/2), jitter))
	}
	s.renewal, s.renewalReason, s.renewalTries = time.Time{}, ReasonRefreshed, 0
	if s.registerEvery > 0 {
		s.renewal = now.Add(s.registerEvery/2 + scale(s.registerEvery/2, another(jitter)))
	}
	return s
}

// another returns a jitter that is independent of the given one: nodes of one phase must not
// renew together.
func another(jitter float64) float64 { return math.Mod(jitter*1009, 1) }

// postponeRenewal returns the schedule after a renewal was not accepted. The node goes on
// beating and tries again at later ticks, less and less often.
func (s schedule) postponeRenewal(now time.Time) schedule {
	pause := float64(s.interval) * math.Pow(2, float64(s.renewalTries))
	s.renewalTries++
	s.renewal = now.Add(time.Duration(min(pause, float64(max(s.registerEvery, maxInterval)))))
	return s
}

// afterBeat alone resets the count of failures: a node that can register but not beat
// has to slow down too.
func (s schedule) afterBeat(now time.Time, directed time.Duration) schedule {
	s.failures = 0
	s.confirmed = s.sent
	if interval := s.direct(directed); interval != s.interval {
		s.interval = interval
		s.grid = s.sent // keeps the phase that this node has among its fleet
	}
	s.due = s.tick(now)
	if s.renewalReason == ReasonUpdated && s.renewalTries == 0 {
		return s.notified(now) // the update waits for no tick
	}
	return s
}

// direct returns the interval that holds after orchestratord asked for one: a
// configured interval is a ceiling.
func (s schedule) direct(directed time.Duration) time.Duration {
	switch {
	case directed == 0:
		return s.interval
	case s.ceiling == 0:
		return directed
	default:
		return min(s.ceiling, directed)
	}
}

// tick returns the next point of the grid. Ticks that have passed are skipped, and so is one
// so soon after a heartbeat that two would bunch up.
func (s schedule) tick(now time.Time) time.Time {
	from := s.sent.Add(s.interval / 2)
	if now.After(from) {
		from = now
	}
	if from.Before(s.grid) {
		return s.grid
	}
	return s.grid.Add(from.Sub(s.grid)/s.interval*s.interval + s.interval)
}

// afterForgotten registers again, at once the first time: the nodes of a forgotten fleet
// notice it one by one, each at its own tick. After an outage they may notice it together,
// so a pause spreads them. The pause grows each further time: two orchestratords that share
// no registry would forget the node at every other heartbeat.
func (s schedule) afterForgotten(now time.Time, jitter float64) schedule {
	if now.Sub(s.forgottenAt) > forgiveness {
		s.forgotten = 0
	}
	s.registered = false
	s.due = now
	switch {
	case s.forgotten > 0:
		s.due = now.Add(fullJitter(firstCooldown, longestCooldown, s.forgotten, jitter))
	case s.failures > 0:
		s.due = now.Add(scale(s.longestBackoff()/2, jitter))
	}
	s.forgotten++
	s.forgottenAt = now
	return s
}

// longestBackoff stays below the timeout, whatever interval orchestratord directs: a
// node that is late by more than that is offline.
func (s schedule) longestBackoff() time.Duration {
	longest := s.interval / 2
	if s.maxBackoff > 0 {
		longest = s.maxBackoff
	}
	return min(longest, s.nodeTimeout/2)
}

func (s schedule) afterFailure(op operation, now time.Time, o outcome, jitter float64) schedule {
	s.failures++
	switch {
	case o.verdict == refused && op == beating:
		// The next heartbeat is another request; this one is not repeated.
		s.due = s.tick(now)
	case o.verdict == refused && s.next(now) == beating:
		s.due = now // in place of a renewal
	case o.verdict == refused, o.verdict == unauthorized:
		s.refusals++
		s.due = now.Add(s.refusalPause(o.retryAfter, jitter))
	default:
		// All nodes that asked within a Retry-After may be to come at its end.
		first := max(firstBackoff, o.retryAfter)
		s.due = now.Add(o.retryAfter + fullJitter(first, s.longestBackoff(), s.failures, jitter))
	}
	return s
}

// refusalPause returns the pause after a refusal. The first stays below the timeout, unless
// Retry-After asks for more: one refusal by mistake takes no node offline. Many nodes may have been
// given one Retry-After: they do not all come at its end.
func (s schedule) refusalPause(retryAfter time.Duration, jitter float64) time.Duration {
	longest := slowRetry
	if s.refusals == 1 {
		longest = min(longest, s.nodeTimeout/2)
	}
	least := max(longest/2, retryAfter)
	return least + scale(max(longest, least+least/4)-least, jitter)
}

// notified returns the schedule after the caller has asked for a heartbeat now.
// While attempts fail the next one carries the news anyway, and must not come sooner.
func (s schedule) notified(now time.Time) schedule {
	if !s.registered || s.failures > 0 {
		return s
	}
	soon := s.sent.Add(notifyGap)
	if soon.Before(now) {
		soon = now
	}
	if soon.Before(s.due) {
		s.due = soon
	}
	return s
}

// updated returns the schedule of a node whose description has changed. A node that is
// not on record registers with the new one anyway. One that has just registered beats
// first, however often it is updated.
func (s schedule) updated(now time.Time) schedule {
	s.renewal, s.renewalReason, s.renewalTries = now, ReasonUpdated, 0
	return s.notified(now)
}

// unlocked returns the schedule of a node that has a new token, which is tried at once. A
// source may make another one each time it is asked, so each refused one doubles the wait
// for the next, up to slowRetry.
func (s schedule) unlocked(now time.Time) schedule {
	pause := min(float64(slowRetry), float64(tokenLook)*math.Pow(2, float64(s.newTokens)))
	if s.newTokens > 0 && now.Before(s.sent.Add(time.Duration(pause))) {
		return s
	}
	s.newTokens++
	s.locked = false
	s.due = now
	return s
}

// fullJitter returns a pause drawn evenly from next to nothing to an
// exponentially growing bound.
func fullJitter(first, longest time.Duration, attempt int, jitter float64) time.Duration {
	bound := time.Duration(min(float64(longest), float64(first)*math.Pow(2, float64(attempt-1))))
	return shortestPause + scale(max(bound-shortestPause, 0), jitter)
}

func scale(d time.Duration, by float64) time.Duration {
	return time.Duration(float64(d) * by)
}
