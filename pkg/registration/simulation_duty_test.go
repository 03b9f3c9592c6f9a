package registration_test

import (
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// scene is a node before its oracle, at some time after its start.
type scene struct {
	*oracle
	start time.Time
}

func newScene(c registration.Config) scene {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	o := newOracle(c, func(after time.Time) time.Time {
		if change := start.Add(100 * time.Second); change.After(after) {
			return change
		}
		return time.Time{}
	})
	o.runs(start)
	return scene{o, start}
}

func (s scene) at(seconds float64) time.Time {
	return s.start.Add(time.Duration(seconds * float64(time.Second)))
}

// ask sends a request at one time, and has it answered at another.
func (s scene) ask(op string, sent, answered float64, r reply) (complaint string) {
	complaint = s.sends(s.at(sent), op, "token")
	s.ends(s.at(answered), r)
	return complaint
}

// online is a node that has registered at 0 s and beaten at 0.5 s and at 10 s.
func (s scene) online() scene {
	s.ask("register", 0, 0, reply{verdict: taken, landed: didLand})
	s.ask("heartbeat", 0.5, 0.5, reply{verdict: taken})
	s.ask("heartbeat", 10, 10, reply{verdict: taken})
	return s
}

var (
	good    = reply{verdict: taken, landed: didLand}
	failure = reply{verdict: failed, landed: mayLand}
)

// beat is a node that is online, and sends a heartbeat.
func beat(sent, answered float64, r reply) func(scene) {
	return func(s scene) { s.online().ask("heartbeat", sent, answered, r) }
}

// duties are what a node owes after what has happened to it.
var duties = map[string]struct {
	happens  func(s scene)
	one      string // that is owed then, nothing if it is empty
	from, by float64
}{
	"at its start": {func(s scene) {}, "register", 0, 0},
	"registered":   {func(s scene) { s.ask("register", 0, 2, good) }, "heartbeat", 2, 3},
	"beaten for the first time": {func(s scene) {
		s.ask("register", 0, 0, good)
		s.ask("heartbeat", 1, 1, good)
	}, "heartbeat", 6, 16},
	"online":                 {func(s scene) { s.online() }, "heartbeat", 20, 20},
	"after a slow heartbeat": {beat(20, 24, good), "heartbeat", 30, 30},
	"after a failure":        {beat(20, 20, failure), "heartbeat", 20.1, 20.5},
	"after another": {func(s scene) {
		s.online().ask("heartbeat", 20, 20, failure)
		s.ask("heartbeat", 20.3, 21, failure)
	}, "heartbeat", 21.1, 22},
	"asked for a pause": {beat(20, 20, reply{verdict: failed, retryAfter: 4 * time.Second}), "heartbeat", 24.1, 28},
	"forgotten":         {beat(20, 20, reply{verdict: unknown}), "register", 20, 20},
	"forgotten once more": {func(s scene) {
		s.online().ask("heartbeat", 20, 20, reply{verdict: unknown})
		s.ask("register", 20, 20, good)
		s.ask("heartbeat", 20, 20, reply{verdict: unknown})
	}, "register", 20.1, 21},
	"refused at its start": {func(s scene) { s.ask("register", 0, 0, reply{verdict: rejected}) }, "", 0, 0},
	"a heartbeat refused":  {beat(20, 20, reply{verdict: rejected}), "heartbeat", 30, 30},
	"its token refused":    {beat(20, 20, reply{verdict: denied}), "heartbeat", 27.5, 35},
	"directed otherwise":   {beat(20, 21, reply{verdict: taken, directed: 4 * time.Second}), "heartbeat", 24, 24},
	"directed too fast":    {beat(20, 20, reply{verdict: taken, directed: time.Millisecond}), "heartbeat", 21, 21},
	"with news":            {func(s scene) { s.online().notified(s.at(15)) }, "heartbeat", 15, 15},
	"with news soon after": {func(s scene) { s.online().notified(s.at(10.3)) }, "heartbeat", 11, 11},
	"updated":              {func(s scene) { s.online().changes(s.at(15)) }, "register", 15, 15},
	"asleep":               {func(s scene) { s.online().slept(time.Hour) }, "register", 20, 20},
	"leaving":              {func(s scene) { s.online().leaves(s.at(15), time.Second, true) }, "deregister", 15, 15},
	"stopping":             {func(s scene) { s.online().leaves(s.at(15), time.Second, false) }, "", 0, 0},
	"leaving too soon":     {func(s scene) { s.leaves(s.at(0), time.Second, true) }, "", 0, 0},
}

func TestWhatANodeOwes(t *testing.T) {
	for name, test := range duties {
		t.Run(name, func(t *testing.T) {
			s := newScene(registration.Config{})
			test.happens(s)
			if s.duty.why == "" && test.one == "" {
				return
			}
			from, by := s.duty.from.Sub(s.start).Seconds(), s.duty.by.Sub(s.start).Seconds()
			if one, _, _ := s.owes(s.duty.from); one != test.one || from != test.from || by != test.by {
				t.Errorf("owes a %s within %vs and %vs, want a %s within %vs and %vs", one, from, by, test.one,
					test.from, test.by)
			}
		})
	}
}

// The refresh is owed at some tick between half of its period and all of it.
func TestWhenARefreshIsOwed(t *testing.T) {
	s := newScene(registration.Config{RegisterEvery: time.Minute}).online()
	s.heard = s.at(50) // its heartbeats were good
	for at, want := range map[float64]string{
		20: "heartbeat ", 29: "heartbeat ", 31: "heartbeat register", 59: "heartbeat register", 60: "register ",
	} {
		if one, other, _ := s.owes(s.at(at)); one+" "+other != want {
			t.Errorf("after %vs it owes a %s %s, want a %s", at, one, other, want)
		}
	}
}

func TestWhatTheOracleFindsWrong(t *testing.T) {
	for name, wrong := range map[string]func(s scene) string{
		"too early":      func(s scene) string { return s.online().ask("heartbeat", 19, 19, good) },
		"too late":       func(s scene) string { return s.online().ask("heartbeat", 21, 21, good) },
		"something else": func(s scene) string { return s.online().ask("register", 20, 20, good) },
		"nothing owed": func(s scene) string {
			s.online().leaves(s.at(15), time.Second, false)
			return s.ask("heartbeat", 15, 15, good)
		},
		"two in flight": func(s scene) string {
			s.online().sends(s.at(20), "heartbeat", "token")
			return s.sends(s.at(20), "heartbeat", "token")
		},
		"beats although cut off": func(s scene) string { return s.online().ask("heartbeat", 45, 45, good) },
		"never sent":             func(s scene) string { return s.online().overdue(s.at(21)) },
		"given up too soon": func(s scene) string {
			s.online().sends(s.at(20), "heartbeat", "token")
			_, complaint := s.givesUp(s.at(22), failure)
			return complaint
		},
		"given up too late": func(s scene) string {
			s.online().sends(s.at(20), "heartbeat", "token")
			return s.overdue(s.at(26))
		},
		"news that waits for a slow heartbeat": func(s scene) string {
			s.online().sends(s.at(20), "heartbeat", "token")
			s.notified(s.at(20.5))
			return s.overdue(s.at(22))
		},
		"a new token that is not tried": func(s scene) string {
			s.online().ask("heartbeat", 20, 101, reply{verdict: denied})
			return s.overdue(s.at(102))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if complaint := wrong(newScene(registration.Config{})); complaint == "" {
				t.Error("it finds nothing wrong")
			}
		})
	}
}

// A node reminds itself of its drain just as a heartbeat begins: that one carries it, or another
// follows.
func TestAReminderAndAHeartbeatAtOneMoment(t *testing.T) {
	for name, next := range map[string]float64{"it carried both": 30, "another follows": 22} {
		t.Run(name, func(t *testing.T) {
			s := newScene(registration.Config{}).online()
			s.ask("heartbeat", 20, 20, good)
			s.drains(s.at(20))
			if complaint := s.ask("heartbeat", 21, 21.2, good) + s.ask("heartbeat", next, next, good); complaint != "" {
				t.Error(complaint)
			}
		})
	}
}
