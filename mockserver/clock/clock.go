// Package clock provides a clock that can be paused, put forward and sped up. A timeout of half
// a minute is then seen at once:
//
//	clk := clock.PausedAt(time.Unix(1_000_000_000, 0))
//	clk.AfterFunc(30*time.Second, func() { fmt.Println("half a minute is over") })
//	clk.Advance(time.Minute)
package clock

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// How fast a clock can run, in seconds that pass in a second of real time.
const (
	MinSpeed = 0.001
	MaxSpeed = 10_000
)

// Clock follows real time until it is paused, advanced or sped up. It never runs backwards, is
// safe for concurrent use, and has no goroutine while nobody waits. New and PausedAt make one.
//
// The functions that it calls may call it in turn.
type Clock struct {
	course atomic.Pointer[course] // nil while it changes, which it does only under mu

	mu       sync.Mutex
	pace     pace
	waiters  []*waiter // in the order in which they are due
	timer    *time.Timer
	calls    int   // of waiters so far, which numbers them
	inFlight []int // the calls that have not returned, in ascending order
	returned *sync.Cond
	advances int       // the calls of Advance that have not returned
	goal     time.Time // where they lead
	end      time.Time // see Limit
}

// pace is how a clock was set to run. During Advance time passes in its steps alone, and then
// at this pace again.
type pace struct {
	running bool
	speed   float64
}

// State is what a clock does at a moment.
type State struct {
	Now     time.Time
	Running bool    // whether time passes by itself
	Speed   float64 // how many seconds pass in a second of real time while it does
}

// New returns a clock that shows the time of the machine, as time.Now does, until it is
// changed.
func New() *Clock {
	return newClock(&course{real: true, speed: 1})
}

// PausedAt returns a clock that stands at start.
func PausedAt(start time.Time) *Clock {
	return newClock(&course{shown: start})
}

func newClock(first *course) *Clock {
	c := &Clock{pace: pace{running: first.speed > 0, speed: 1}}
	c.course.Store(first)
	c.returned = sync.NewCond(&c.mu)
	return c
}

// Now returns the time. It costs little more than time.Now.
func (c *Clock) Now() time.Time {
	course := c.course.Load()
	now := time.Now()
	// Only if the course has not changed meanwhile does this moment belong to it.
	if course != nil && course == c.course.Load() {
		return course.at(now)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// State returns what the clock does.
func (c *Clock) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{Now: c.now(), Running: c.pace.running, Speed: c.pace.speed}
}

// Pause makes the clock stand until Resume.
func (c *Clock) Pause() {
	c.change(func(p *pace) { p.running = false })
}

// Resume makes the clock run on from where it stands, at the speed that was set last.
func (c *Clock) Resume() {
	c.change(func(p *pace) { p.running = true })
}

// SetSpeed sets how many seconds pass in a second of real time, MinSpeed to MaxSpeed.
// A clock that is paused stays so.
func (c *Clock) SetSpeed(speed float64) error {
	if !(speed >= MinSpeed && speed <= MaxSpeed) { // in these words NaN is refused, too
		return fmt.Errorf("speed %g of the clock: must be %g to %g", speed, float64(MinSpeed), float64(MaxSpeed))
	}
	c.change(func(p *pace) { p.speed = speed })
	return nil
}

// Limit sets the last time that the clock shows, unless that is real time. There it stands,
// and Advance does not go beyond it.
func (c *Clock) Limit(end time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end = end; !c.course.Load().real {
		c.turn(time.Time{})
	}
}

func (c *Clock) change(edit func(*pace)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.pace
	if edit(&c.pace); c.pace != was {
		c.turn(time.Time{})
	}
}

// turn begins a new course, at the present or, if that is later, at least.
func (c *Clock) turn(least time.Time) {
	old := c.course.Swap(nil) // from here on Now waits, so that no time shown is taken back
	began := time.Now()
	next := &course{shown: old.at(began), began: began, end: c.end}
	if least.After(next.shown) {
		next.shown = least
	}
	if c.pace.running && c.advances == 0 {
		next.speed = c.pace.speed
	}
	c.course.Store(next)
	c.arm()
}

// now is Now for those who hold mu.
func (c *Clock) now() time.Time {
	return c.course.Load().at(time.Now())
}
