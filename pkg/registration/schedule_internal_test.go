package registration

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const ms = time.Millisecond

func at(offset time.Duration) time.Time { return start.Add(offset) }

// online is the schedule of a node that registered at start, whose grid begins a quarter
// of the interval later, and that has just sent a good heartbeat there.
func online(config Config) schedule {
	s := newSchedule(config.withDefaults(), start)
	s = s.after(registering, start, start, outcome{}, 0.25)
	return s.after(beating, s.grid, s.grid, outcome{}, 0)
}

func TestScheduleSpreadsFirstHeartbeatsOverASecondAndLaterOnesOverAnInterval(t *testing.T) {
	for _, jitter := range []float64{0, 0.25, 0.999} {
		s := newSchedule(Config{}.withDefaults(), start)
		if !s.due.Equal(start) || s.next(start) != registering {
			t.Fatalf("a new node has to %s at %v, want to register at once", s.next(start), s.due)
		}
		s = s.after(registering, start, start, outcome{}, jitter)
		if want := at(time.Duration(jitter * float64(time.Second))); !s.due.Equal(want) {
			t.Errorf("jitter %v: first heartbeat at %v, want %v", jitter, s.due, want)
		}
		s = s.after(beating, s.due, s.due, outcome{}, jitter)
		phase := time.Duration(jitter * float64(10*time.Second))
		if offset := (s.due.Sub(start) - phase) % (10 * time.Second); offset != 0 || s.due.Sub(start) < 5*time.Second {
			t.Errorf("jitter %v: second heartbeat at %v, want it at phase %v and not at once", jitter, s.due, phase)
		}
	}
}

func TestScheduleTicks(t *testing.T) {
	const tick = 12500 * time.Millisecond // the one after the first heartbeat
	tests := map[string]struct {
		sent, answered, want time.Duration
	}{
		"on time":                      {tick, tick, tick + 10*time.Second},
		"a slow answer moves no tick":  {tick, tick + 4*time.Second, tick + 10*time.Second},
		"a late heartbeat moves none":  {tick + 3*time.Second, tick + 3*time.Second, tick + 10*time.Second},
		"missed ticks are skipped":     {tick + 34*time.Second, tick + 34*time.Second, tick + 40*time.Second},
		"one too close is skipped":     {tick + 9*time.Second, tick + 9*time.Second, tick + 20*time.Second},
		"an answer past the next tick": {tick, tick + 10*time.Second, tick + 20*time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := online(Config{}).after(beating, at(test.sent), at(test.answered), outcome{}, 0)
			if !s.due.Equal(at(test.want)) {
				t.Errorf("due %v after start, want %v", s.due.Sub(start), test.want)
			}
		})
	}
}

func TestScheduleInterval(t *testing.T) {
	tests := map[string]struct {
		configured, directed, want time.Duration
	}{
		"ten seconds until directed":       {0, 0, 10 * time.Second},
		"orchestratord directs":            {0, 25 * time.Second, 25 * time.Second},
		"a configured one is a ceiling":    {5 * time.Second, 25 * time.Second, 5 * time.Second},
		"orchestratord may ask for faster": {5 * time.Second, 2 * time.Second, 2 * time.Second},
		"configured, and nothing directed": {5 * time.Second, 0, 5 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := online(Config{HeartbeatInterval: test.configured})
			sent := s.due
			s = s.after(beating, sent, sent, outcome{nextBeat: test.directed}, 0)
			if got := s.due.Sub(sent); got != test.want {
				t.Errorf("next heartbeat after %v, want %v", got, test.want)
			}
		})
	}
}

func TestScheduleBacksOff(t *testing.T) {
	for name, test := range map[string]struct {
		config Config
		bounds []time.Duration // in milliseconds
	}{
		"up to half of the interval": {Config{}, []time.Duration{500, 1000, 2000, 4000, 5000, 5000}},
		"up to what is configured":   {Config{MaxBackoff: 1500 * ms}, []time.Duration{500, 1000, 1500, 1500}},
		"up to half of the timeout": {
			Config{MaxBackoff: time.Hour, NodeTimeout: 21_000 * ms},
			[]time.Duration{500, 1000, 2000, 4000, 8000, 10_500},
		},
		"but never at once": {Config{MaxBackoff: ms}, []time.Duration{100, 100}},
	} {
		for _, op := range []operation{registering, beating} {
			for _, jitter := range []float64{0, 0.5, 0.999} {
				s := online(test.config)
				now := s.due
				for i, bound := range test.bounds {
					s = s.after(op, now, now, outcome{verdict: failed, err: errors.New("down")}, jitter)
					want := shortestPause + scale(bound*ms-shortestPause, jitter)
					if got := s.due.Sub(now); got != want {
						t.Errorf("%s: %s, failure %d, jitter %v: pause %v, want %v", name, op, i+1, jitter, got, want)
					}
					now = s.due
				}
			}
		}
	}
}

func TestScheduleForgivesOnlyAfterAGoodHeartbeat(t *testing.T) {
	s := newSchedule(Config{}.withDefaults(), start)
	now := start
	for range 3 {
		s = s.after(registering, now, now, outcome{verdict: failed}, 0)
		s = s.after(registering, now, now, outcome{}, 0)
	}
	if s.failures != 3 {
		t.Errorf("%d failures count after three that each were followed by a registration, want 3", s.failures)
	}
	if s = s.after(beating, now, now, outcome{}, 0); s.failures != 0 {
		t.Errorf("%d failures count after a good heartbeat, want 0", s.failures)
	}
}

func TestScheduleObeysRetryAfter(t *testing.T) {
	s := online(Config{})
	now := s.due
	s = s.after(beating, now, now, outcome{verdict: failed, retryAfter: 20 * time.Second}, 0.5)
	if got := s.due.Sub(now); got < 20*time.Second || got > 25*time.Second {
		t.Errorf("pause of %v after Retry-After: 20, want jitter on top of it", got)
	}
	if s = s.notified(now); s.due.Sub(now) < 20*time.Second {
		t.Error("a notification cut Retry-After short")
	}
	last := online(Config{}).after(beating, now, now, outcome{verdict: failed, retryAfter: 20 * time.Second}, 0.999)
	if spread := last.due.Sub(now.Add(20 * time.Second)); spread < 4*time.Second {
		t.Errorf("all that were given one Retry-After come back within %v", spread)
	}
}

// Nodes that were refused until the same moment do not all come back in it.
func TestScheduleSpreadsRefusedNodes(t *testing.T) {
	for _, asked := range []time.Duration{0, 14 * time.Second, 40 * time.Second, time.Hour} {
		s := online(Config{})
		o := outcome{verdict: unauthorized, retryAfter: asked}
		first, last := s.after(beating, s.due, s.due, o, 0).due, s.after(beating, s.due, s.due, o, 0.999).due
		if first.Sub(s.due) < asked {
			t.Errorf("a pause of %v after Retry-After: %v", first.Sub(s.due), asked)
		}
		if last.Sub(first) < asked/5 || last.Sub(first) < 2*time.Second {
			t.Errorf("after Retry-After: %v all come back within %v", asked, last.Sub(first))
		}
	}
}

func TestScheduleOfWhatCannotPass(t *testing.T) {
	s := online(Config{})
	now := s.due
	if got := s.after(beating, now, now, outcome{verdict: refused}, 0).due.Sub(now); got != 10*time.Second {
		t.Errorf("a refused heartbeat is followed by the next after %v, want the next tick", got)
	}
	for name, o := range map[string]struct {
		op operation
		v  verdict
	}{"refused registration": {registering, refused}, "unauthorized heartbeat": {beating, unauthorized}} {
		for _, jitter := range []float64{0, 0.999} {
			for _, timeout := range []time.Duration{30 * time.Second, time.Hour} {
				s, now := online(Config{NodeTimeout: timeout}), now
				s.registered = false // no renewal, which heartbeats would follow
				// The first is asked for again before the node is missed.
				for i, longest := range []time.Duration{min(timeout/2, slowRetry), slowRetry, slowRetry} {
					s = s.after(o.op, now, now, outcome{verdict: o.v}, jitter)
					if got := s.due.Sub(now); got < longest/2 || got > longest {
						t.Errorf("%s %d: asked again after %v, want %v to %v", name, i, got, longest/2, longest)
					}
					now = s.due
				}
			}
		}
	}
}

// Whatever orchestratord directs, a node beats after it has registered, and goes on
// with that alone when the interval is less than half of the timeout.
func TestScheduleOfANodeThatIsWellBeats(t *testing.T) {
	for _, timeout := range []time.Duration{
		2001 * time.Millisecond, 2200 * time.Millisecond, 21 * time.Second, 30 * time.Second, time.Hour,
	} {
		for _, directed := range []time.Duration{
			time.Second, 10 * time.Second, timeout/2 - 1, timeout,
			5 * time.Minute,
		} {
			for _, request := range []time.Duration{time.Millisecond, 5 * time.Second, timeout - 1} {
				s := online(Config{NodeTimeout: timeout, RequestTimeout: request, RegisterEvery: -1})
				s = s.after(beating, s.due, s.due, outcome{nextBeat: directed}, 0)
				if got := s.next(s.due); got != beating && directed < timeout/2 {
					t.Errorf("timeout %v, request %v: %v after a heartbeat it has to %s", timeout, request, directed,
						got)
				}
				s = s.after(registering, s.due, s.due.Add(timeout/2), outcome{}, 0)
				if got := s.next(s.due); got != beating {
					t.Errorf("timeout %v, request %v, directed %v: after a registration it has to %s", timeout, request,
						directed, got)
				}
			}
		}
	}
}

func TestScheduleNotified(t *testing.T) {
	s := online(Config{}) // has sent a heartbeat at 2.5 s
	if got := s.notified(at(4 * time.Second)).due; !got.Equal(at(4 * time.Second)) {
		t.Errorf("a heartbeat is due at %v, want at once", got.Sub(start))
	}
	if got := s.notified(at(2600 * time.Millisecond)).due; !got.Equal(at(3500 * time.Millisecond)) {
		t.Errorf("a heartbeat is due at %v, want a second after the last", got.Sub(start))
	}
	if got := s.notified(at(12400 * time.Millisecond)).due; got.After(at(12500 * time.Millisecond)) {
		t.Errorf("a notification put the next tick off to %v", got.Sub(start))
	}
}

func TestScheduleKeepsAHeartbeatWithinItsInterval(t *testing.T) {
	const long = 10 * time.Second
	for _, test := range []struct{ interval, timeout, request, want time.Duration }{
		{time.Second, 30 * time.Second, 5 * time.Second, time.Second}, // at the least
		{8 * time.Second, 30 * time.Second, 5 * time.Second, 4 * time.Second},
		{14 * time.Second, 30 * time.Second, 5 * time.Second, 5 * time.Second},
		{20 * time.Second, 30 * time.Second, long, 7500 * time.Millisecond}, // as orchestratord may direct
		{time.Second, 2200 * time.Millisecond, long, 900 * time.Millisecond},
	} {
		s := online(Config{NodeTimeout: test.timeout, RequestTimeout: test.request})
		s = s.after(beating, s.due, s.due, outcome{nextBeat: test.interval}, 0)
		if got := s.timeout(beating); got != test.want {
			t.Errorf("%+v: a heartbeat may take %v", test, got)
		}
	}
}

func TestScheduleSpreadsAFleetThatComesBack(t *testing.T) {
	for backoff, beats := range map[time.Duration]time.Duration{
		0: 5 * time.Second, 8 * time.Second: 5 * time.Second, 2 * time.Second: 2 * time.Second,
	} {
		registers := cmp.Or(backoff, 5*time.Second) / 2
		for _, jitter := range []float64{0, 0.5, 0.999} {
			s := online(Config{MaxBackoff: backoff})
			now := s.due
			s = s.after(beating, now, now, outcome{verdict: failed}, 0)
			s = s.after(beating, now, now, outcome{verdict: forgotten}, jitter)
			if want := scale(registers, jitter); s.due.Sub(now) != want {
				t.Errorf("jitter %v: registers again after %v, want %v", jitter, s.due.Sub(now), want)
			}
			s = s.after(registering, now, now, outcome{}, jitter)
			if want := scale(beats, jitter); s.due.Sub(now) != want || s.next(s.due) != beating {
				t.Errorf("jitter %v: beats after %v, want %v", jitter, s.due.Sub(now), want)
			}
		}
	}
}

// A heartbeat that was cut off is followed by one with the news within half a second.
func TestScheduleAfterAnOvertakenHeartbeat(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 0.999} {
		s := online(Config{})
		now := s.due
		s = s.after(beating, now, now, outcome{verdict: overtaken}, jitter)
		if want := shortestPause + scale(firstBackoff-shortestPause, jitter); s.due.Sub(now) != want || s.failures > 0 {
			t.Errorf("jitter %v: it beats after %v, want %v", jitter, s.due.Sub(now), want)
		}
	}
}

// A source may make another token each time it is asked.
func TestScheduleTriesNewTokensLessAndLessOften(t *testing.T) {
	s, now := online(Config{}), at(time.Minute)
	var tried []time.Duration
	for range 3600 {
		if !now.Before(s.due) {
			tried = append(tried, now.Sub(s.sent))
			s = s.after(beating, now, now, outcome{verdict: unauthorized}, 0.999)
		}
		now = now.Add(tokenLook)
		s = s.unlocked(now)
	}
	pauses := []time.Duration{tokenLook, 2 * tokenLook, 4 * tokenLook, 8 * tokenLook, 16 * tokenLook, 32 * tokenLook}
	if !slices.Equal(tried[1:7], pauses) || slices.Min(tried[8:]) < slowRetry-tokenLook {
		t.Errorf("with a new token each second it tries one after %v", tried)
	}
	s = s.after(beating, now, now, outcome{}, 0).after(beating, now, now, outcome{verdict: unauthorized}, 0)
	if s = s.unlocked(now.Add(tokenLook)); s.locked || !s.due.Equal(now.Add(tokenLook)) {
		t.Error("after a good heartbeat a new token is not tried at once")
	}
}
