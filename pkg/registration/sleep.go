package registration

import "time"

// leastSleep is the difference between the clocks from which the machine must
// have slept: less is a clock that is being set right.
const leastSleep = time.Second

// sleep notices that the machine was asleep, as a laptop or a paused virtual machine is. The
// clock on the wall has moved on, and the one that timers go by has not. A clock that was put
// forward looks the same; the node then registers once more than it had to.
type sleep struct {
	wall  func() time.Time
	start time.Time     // of the first call
	ahead time.Duration // how much further the wall clock has come since then
}

// took returns for how long the machine has slept since the last call.
func (s *sleep) took() time.Duration {
	timer, wall := time.Now(), s.wall()
	if s.start.IsZero() {
		s.start = timer
	}
	// In numbers, since Sub compares two times by the clock that timers go by.
	ahead := time.Duration(wall.UnixNano()-s.start.UnixNano()) - timer.Sub(s.start)
	slept := ahead - s.ahead
	s.ahead = ahead
	if slept < leastSleep {
		return 0
	}
	return slept
}
