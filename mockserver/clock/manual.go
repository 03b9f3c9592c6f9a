package clock

import (
	"slices"
	"sync"
	"time"
)

// Manual is a clock that stands still until it is told to advance.
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	timers []*timer // in the order in which they are due
}

type timer struct {
	due time.Time
	f   func()
}

// NewManual returns a clock that stands at start.
func NewManual(start time.Time) *Manual {
	return &Manual{now: start}
}

// Now returns the time at which the clock stands.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// AfterFunc has f called by the call of Advance that takes the clock to d from now.
func (m *Manual) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &timer{due: m.now.Add(d), f: f}
	behind := slices.IndexFunc(m.timers, func(other *timer) bool { return other.due.After(t.due) })
	if behind < 0 {
		behind = len(m.timers)
	}
	m.timers = slices.Insert(m.timers, behind, t)
	return func() bool { return m.remove(t) }
}

// Advance moves the clock forward by d and calls what falls due on the way, one
// after the other, each at its own time. All calls have returned when Advance does.
func (m *Manual) Advance(d time.Duration) {
	end := m.Now().Add(d)
	for {
		t := m.next(end)
		if t == nil {
			return
		}
		t.f()
	}
}

// next takes the clock to the first timer that is due by end and removes it. When
// there is none it takes the clock to end.
func (m *Manual) next(end time.Time) *timer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.timers) == 0 || m.timers[0].due.After(end) {
		m.now = end
		return nil
	}
	t := m.timers[0]
	m.timers = m.timers[1:]
	if t.due.After(m.now) {
		m.now = t.due
	}
	return t
}

func (m *Manual) remove(t *timer) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.Index(m.timers, t)
	if i < 0 {
		return false
	}
	m.timers = slices.Delete(m.timers, i, i+1)
	return true
}
