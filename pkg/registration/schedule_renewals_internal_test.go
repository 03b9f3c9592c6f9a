package registration

import (
	"testing"
	"time"
)

func TestScheduleRegistersAgainWhenForgotten(t *testing.T) {
	s := online(Config{})
	now := s.due
	// The cooldown grows with every time, whatever good heartbeats lie between.
	for i, want := range []time.Duration{0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000} {
		s = s.after(beating, now, now, outcome{verdict: forgotten}, 1)
		if got := s.due.Sub(now); got != want*time.Millisecond || s.next(s.due) != registering {
			t.Errorf("forgotten %d times: %s after %v, want register after %v", i+1, s.next(s.due), got,
				want*time.Millisecond)
		}
		now = s.due
		s = s.after(registering, now, now, outcome{}, 0)
		if !s.due.Equal(now) || s.next(now) != beating {
			t.Errorf("after registering again: %s at %v, want a heartbeat at once", s.next(now), s.due)
		}
		s = s.after(beating, now, now, outcome{}, 0)
	}
	now = now.Add(forgiveness + time.Second)
	if s = s.after(beating, now, now, outcome{verdict: forgotten}, 1); !s.due.Equal(now) {
		t.Errorf("forgotten again after a long while: registers after %v, want at once", s.due.Sub(now))
	}
}

func TestScheduleRegistersAgainAfterALongOutage(t *testing.T) {
	tests := map[string]struct {
		config Config
		silent time.Duration
		want   operation
	}{
		"one lost heartbeat":                {Config{}, 20 * time.Second, beating},
		"would arrive within the timeout":   {Config{}, 24800 * time.Millisecond, beating},
		"could arrive after the timeout":    {Config{}, 25 * time.Second, registering},
		"could, with a status that is late": {Config{}, 24900 * time.Millisecond, registering},
		"long after":                        {Config{}, time.Hour, registering},
		"another timeout":                   {Config{NodeTimeout: 2 * time.Minute}, time.Minute, beating},
		"less than three intervals":         {Config{NodeTimeout: 21 * time.Second}, 24 * time.Second, registering},
		"one of two long intervals":         {Config{HeartbeatInterval: 14 * time.Second}, 24 * time.Second, beating},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := online(test.config)
			if got := s.next(s.confirmed.Add(test.silent)); got != test.want {
				t.Errorf("%v after the last good heartbeat it has to %s, want %s", test.silent, got, test.want)
			}
		})
	}
}

// What is due is done late, if only by as much as a timer is.
func TestScheduleBeatsBetweenRenewals(t *testing.T) {
	late := func(s schedule) time.Time { return s.due.Add(time.Millisecond) }
	s := newSchedule(Config{RegisterEvery: 1}.withDefaults(), start)
	s = s.after(registering, start, start, outcome{}, 0)
	if s.next(late(s)) != beating {
		t.Error("a node that registers all the time never beats")
	}
	s = s.after(beating, late(s), late(s), outcome{}, 0)
	if s.next(late(s)) != registering {
		t.Error("a node that is to register at each heartbeat does not")
	}
	answered := s.due.Add(time.Second)
	if got := s.after(registering, s.due, answered, outcome{}, 0.5); !got.due.Equal(answered) {
		t.Errorf("after a renewal it beats %v late", got.due.Sub(answered))
	}
	for _, s := range []schedule{s, online(Config{}).updated(s.due)} {
		sent := late(s)
		for _, o := range []outcome{{verdict: failed, retryAfter: 12 * time.Second}, {verdict: refused}} {
			s := s.after(registering, sent, sent, o, 0)
			if s.next(late(s)) != beating || o.verdict == refused && !s.due.Equal(sent) {
				t.Errorf("a renewal that has %+v is followed by a %s at %v", o, s.next(late(s)), s.due.Sub(sent))
			}
		}
		if s = s.after(registering, sent, sent, outcome{verdict: unauthorized}, 0.999); s.next(late(s)) != registering {
			t.Error("a renewal whose token is not valid is followed by a heartbeat with it")
		}
	}
}

// A renewal that fails is tried less and less often.
func TestSchedulePostponesRenewals(t *testing.T) {
	for every, longest := range map[time.Duration]time.Duration{20 * time.Second: maxInterval, time.Hour: time.Hour} {
		s := online(Config{RegisterEvery: every, NodeTimeout: 3 * time.Hour, HeartbeatInterval: 10 * time.Second})
		for i := range 12 {
			now := s.renewal
			s.beatFirst = false
			s = s.after(registering, now, now, outcome{verdict: failed}, 0)
			if want := min(10*time.Second<<i, longest); s.renewal.Sub(now) != want {
				t.Errorf("every %v: after %d failures it tries again after %v, want %v", every, i+1, s.renewal.Sub(now),
					want)
			}
			s.confirmed = now
		}
		s = s.after(registering, s.renewal, s.renewal, outcome{}, 0)
		now := s.renewal
		s.beatFirst, s.confirmed = false, now
		if s = s.after(registering, now, now, outcome{verdict: failed}, 0); s.renewal.Sub(now) != 10*time.Second {
			t.Errorf("every %v: after a success it tries again after %v", every, s.renewal.Sub(now))
		}
	}
}

// An update that came too soon after a registration follows the heartbeat in between at once. One that
// failed waits for its tick.
func TestScheduleOfAnUpdateThatWaits(t *testing.T) {
	for _, failing := range []bool{false, true} {
		s := online(Config{})
		now := s.due
		s = s.after(registering, now, now, outcome{}, 0).updated(now)
		if failing {
			s.beatFirst = false
			s = s.after(registering, now, now, outcome{verdict: failed}, 0)
		}
		sent := s.due
		s = s.after(beating, sent, sent, outcome{}, 0)
		if soon := s.due.Sub(sent) == notifyGap; soon == failing {
			t.Errorf("an update that has failed, %t, is due after %v", failing, s.due.Sub(sent))
		}
	}
}

// However often a node is updated, it beats between two registrations, and no update waits
// for a tick.
func TestScheduleBeatsBetweenUpdates(t *testing.T) {
	s := online(Config{})
	now, ops := s.due.Add(-time.Second), ""
	for range 4 {
		s = s.updated(now)
		now = s.due
		op := s.next(now)
		s = s.after(op, now, now.Add(time.Millisecond), outcome{}, 0)
		ops += string(op) + " "
		now = now.Add(time.Millisecond)
	}
	if ops != "register heartbeat register heartbeat " {
		t.Errorf("it sends %s", ops)
	}
	if took := s.sent.Sub(start); took > 15*time.Second {
		t.Errorf("two updates took until %v, want a second for each", took)
	}
}

// Nodes of one phase must not renew together.
func TestScheduleSpreadsRenewalsWithinAPhase(t *testing.T) {
	var least, most time.Time
	for i := range 50 {
		s := newSchedule(Config{}.withDefaults(), start).after(registering, start, start, outcome{},
			0.25+float64(i)/1e4)
		if least.IsZero() || s.renewal.Before(least) {
			least = s.renewal
		}
		if s.renewal.After(most) {
			most = s.renewal
		}
	}
	if spread := most.Sub(least); spread < 2*time.Minute {
		t.Errorf("nodes within 50 ms of one phase renew within %v, want the 150 s that there are", spread)
	}
}
