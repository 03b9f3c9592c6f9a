package registration

import (
	"math"
	"time"
)

const (
	// firstBackoff is the longest pause before the first retry; each further one
	// may be twice as long, up to the longest backoff.
	firstBackoff = 500 * time.Millisecond
	// shortestPause keeps apart the attempts whose jitter came out as nothing.
	shortestPause = 100 * time.Millisecond
	// slowRetry is the pace at which a node asks again for what was refused: a
	// token may be rotated and an orchestratord rolled back, but not every second.
	slowRetry = time.Minute
	// notifyGap is the least time between a heartbeat and one sent by Notify: a
	// change is told within 2 s (CLOUD-3013), and ten changes in one go.
	notifyGap = time.Second
	// memory of being forgotten: the first time a node registers again at once,
	// each further time within forgiveness it waits longer, up to longestCooldown.
	firstCooldown   = time.Second
	longestCooldown = time.Minute
	forgiveness     = 10 * time.Minute
)

// schedule decides what a node sends next, and when. It is a value: each outcome
// makes a new one, and neither clocks nor networks come into it, so every rule of
// a node's life can be read, and tested, here.
type schedule struct {
	ceiling     time.Duration // configured interval, 0 when orchestratord directs it
	nodeTimeout time.Duration
	request     time.Duration // longest request
	maxBackoff  time.Duration // 0 for half of the interval

	due        time.Time     // when to send the next request
	interval   time.Duration // between heartbeats
	grid       time.Time     // heartbeats are due at grid + n × interval
	registered bool          // whether orchestratord should know the node
	confirmed  time.Time     // when the last accepted request was sent
	sent       time.Time     // when the last request was sent
	failures   int           // attempts that failed since the last good heartbeat

	forgotten   int // times in a row that orchestratord forgot the node
	forgottenAt time.Time
}

func newSchedule(c Config, now time.Time) schedule {
	interval := c.HeartbeatInterval
	setDefault(&interval, DefaultHeartbeatInterval)
	return schedule{
		ceiling:     c.HeartbeatInterval,
		nodeTimeout: c.NodeTimeout,
		request:     c.RequestTimeout,
		maxBackoff:  c.MaxBackoff,
		interval:    interval,
		due:         now,
	}
}

// next returns what to send at a given time. A node that was cut off for so long
// that orchestratord may have written it off by the time its heartbeat arrives
// registers again instead. Where orchestratord directs an interval nearly as long
// as the timeout that comes before every heartbeat: one request too many is cheaper
// than a node whose heartbeats are answered for ever and that is given no work.
func (s schedule) next(now time.Time) operation {
	arrival := now.Add(statusPatience + s.timeout(beating))
	if s.registered && arrival.Sub(s.confirmed) < s.nodeTimeout {
		return beating
	}
	return registering
}

// slept returns the schedule of a node whose machine was asleep: what
// orchestratord confirmed is older than the timers say.
func (s schedule) slept(d time.Duration) schedule {
	s.confirmed = s.confirmed.Add(-d)
	return s
}

// timeout returns how long a request may take. A heartbeat ends well before the
// next one is due, and before a node that has just registered can be written off.
func (s schedule) timeout(op operation) time.Duration {
	if op == beating {
		return min(s.request, s.interval/2, s.nodeTimeout/4)
	}
	return s.request
}

// after returns the schedule that follows an attempt: what was sent, when, what
// came of it and when; jitter is a number in [0, 1).
func (s schedule) after(op operation, sent, now time.Time, o outcome, jitter float64) schedule {
	s.sent = sent
	switch {
	case o.verdict == accepted && op == registering:
		return s.afterRegister(now, jitter)
	case o.verdict == accepted:
		return s.afterBeat(now, o.nextBeat)
	case o.verdict == forgotten:
		return s.afterForgotten(now, jitter)
	default:
		return s.afterFailure(op, now, o, jitter)
	}
}

// afterRegister spreads the first heartbeats of a fleet that starts at once over
// an interval, and those of one that comes back at once over the longest backoff.
// A node that registers again at its own tick beats right away.
func (s schedule) afterRegister(now time.Time, jitter float64) schedule {
	s.registered = true
	s.confirmed = s.sent
	s.due = now
	switch {
	case s.grid.IsZero():
		s.grid = now.Add(scale(s.interval, jitter))
		s.due = s.grid
	case s.failures > 0:
		s.due = now.Add(scale(s.longestBackoff(), jitter))
	}
	return s
}

// afterBeat is the only way in which failures are forgiven, so that a node that
// can register but not beat slows down all the same.
func (s schedule) afterBeat(now time.Time, directed time.Duration) schedule {
	s.failures = 0
	s.confirmed = s.sent
	if interval := s.direct(directed); interval != s.interval {
		s.interval = interval
		s.grid = s.sent // keeps the phase that this node has among its fleet
	}
	s.due = s.tick(now)
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

// tick returns the next point of the grid: ticks that have passed are skipped,
// and so is one so soon after a heartbeat that two would bunch up.
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

// afterForgotten registers again, at once the first time: a whole fleet that is
// forgotten learns of it one by one, each at its own tick, unless it comes back
// from an outage. Two orchestratords that do not share a registry would forget it
// at every other heartbeat.
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

func (s schedule) longestBackoff() time.Duration {
	if s.maxBackoff > 0 {
		return s.maxBackoff
	}
	return s.interval / 2
}

func (s schedule) afterFailure(op operation, now time.Time, o outcome, jitter float64) schedule {
	s.failures++
	switch {
	case o.verdict == refused && op == beating:
		// The next heartbeat is another request; this one is not repeated.
		s.due = s.tick(now)
	case o.verdict == refused, o.verdict == unauthorized:
		s.due = now.Add(slowRetry/2 + scale(slowRetry/2, jitter))
	default:
		s.due = now.Add(o.retryAfter + fullJitter(firstBackoff, s.longestBackoff(), s.failures, jitter))
	}
	return s
}

// notified returns the schedule after the caller has asked for a heartbeat now.
// While attempts fail the next one tells the news anyway, and must not come sooner.
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

// fullJitter returns a pause drawn evenly from next to nothing to an
// exponentially growing bound.
func fullJitter(first, longest time.Duration, attempt int, jitter float64) time.Duration {
	bound := time.Duration(min(float64(longest), float64(first)*math.Pow(2, float64(attempt-1))))
	return shortestPause + scale(max(bound-shortestPause, 0), jitter)
}

func scale(d time.Duration, by float64) time.Duration {
	return time.Duration(float64(d) * by)
}
