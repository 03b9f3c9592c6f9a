package registration

import "time"

// leastSleep is the difference between the clocks from which the machine must
// have slept: less is a clock that is being set right.
const leastSleep = time.Second

// sleep notices that the machine was asleep, as a laptop or a paused virtual
// machine is: the clock on the wall has moved on, and the one that timers go by
// has not. A clock that was put forward looks the same; the node then registers
// once more than it had to.
type sleep struct {
	wall func() time.Time

	lastTimer, lastWall time.Time
}

// took returns for how long the machine has slept since the last call.
func (s *sleep) took() time.Duration {
	timer, wall := time.Now(), s.wall().Round(0)
	slept := wall.Sub(s.lastWall) - timer.Sub(s.lastTimer)
	first := s.lastTimer.IsZero()
	s.lastTimer, s.lastWall = timer, wall
	if first || slept < leastSleep {
		return 0
	}
	return slept
}
