package clock

import (
	"math"
	"time"
)

// course is how time passes between two changes of a clock. It is never edited.
type course struct {
	real  bool // the clock shows real time, and no other field but speed counts
	shown time.Time
	began time.Time // the real time at which the clock showed that
	speed float64   // 0 when the clock stands
	end   time.Time // at which it stands for good; zero if it never does
}

// at returns what the clock shows at a real time.
func (c *course) at(now time.Time) time.Time {
	if c.real {
		return now
	}
	return c.until(c.shown.Add(times(now.Sub(c.began), c.speed)))
}

// until returns a time, or the end if that comes before.
func (c *course) until(shown time.Time) time.Time {
	if c.ends(shown) {
		return c.end
	}
	return shown
}

// ends reports whether a time is beyond the end.
func (c *course) ends(shown time.Time) bool { return !c.end.IsZero() && shown.After(c.end) }

// left returns how much real time it takes from now until the clock shows due. It
// reports false when that never happens.
func (c *course) left(due, now time.Time) (time.Duration, bool) {
	left := due.Sub(c.at(now))
	switch {
	case left <= 0:
		return 0, true
	case c.speed == 0 || c.ends(due):
		return 0, false
	}
	// At least 1 ns, or a timer that fires a rounding error too early is set in vain
	// for ever.
	return max(1, times(left, 1/c.speed)), true
}

// times returns the product to the next nanosecond, or the longest duration there is.
func times(d time.Duration, factor float64) time.Duration {
	if factor == 1 {
		return d
	}
	if product := math.Round(float64(d) * factor); product < math.MaxInt64 {
		return time.Duration(product)
	}
	return math.MaxInt64
}
