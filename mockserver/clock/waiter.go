package clock

import (
	"slices"
	"time"
)

// waiter is a function that waits for its time.
type waiter struct {
	due time.Time
	f   func()
}

// AfterFunc calls f once, when d has passed on the clock. Where time passes by itself,
// f is called in a goroutine of its own. The function that it returns prevents the
// call; it reports false when it came too late or was called before.
func (c *Clock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(&waiter{c.now().Add(max(d, 0)), f})
}

// At is AfterFunc for a point in time. If that has passed, f is called at once, even if
// the clock is paused.
func (c *Clock) At(due time.Time, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(&waiter{due, f})
}

// add puts a waiter behind all that are due before it or with it.
func (c *Clock) add(w *waiter) (stop func() bool) {
	place, _ := slices.BinarySearchFunc(c.waiters, w.due, func(other *waiter, due time.Time) int {
		if other.due.After(due) {
			return 1
		}
		return -1
	})
	c.waiters = slices.Insert(c.waiters, place, w)
	if place == 0 {
		c.arm()
	}
	return func() bool { return c.remove(w) }
}

func (c *Clock) remove(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	place := slices.Index(c.waiters, w)
	if place < 0 {
		return false
	}
	c.waiters = slices.Delete(c.waiters, place, place+1)
	if place == 0 {
		c.arm()
	}
	return true
}

// next removes the first waiter, if it is due by end.
func (c *Clock) next(end time.Time) *waiter {
	if len(c.waiters) == 0 || c.waiters[0].due.After(end) {
		return nil
	}
	first := c.waiters[0]
	c.waiters = slices.Delete(c.waiters, 0, 1)
	return first
}

// call calls a waiter. Meanwhile, the clock is free.
func (c *Clock) call(w *waiter) {
	c.calls++
	call := c.calls
	c.inFlight = append(c.inFlight, call)
	c.mu.Unlock()
	defer func() { // in a defer since a test may end in f
		c.mu.Lock()
		c.inFlight = slices.DeleteFunc(c.inFlight, func(other int) bool { return other == call })
		c.returned.Broadcast()
	}()
	w.f()
}

// arm sets the timer for the first waiter, if time brings its turn.
func (c *Clock) arm() {
	if c.timer != nil {
		c.timer.Stop()
	}
	if len(c.waiters) == 0 || c.advances > 0 {
		return
	}
	if delay, comes := c.course.Load().left(c.waiters[0].due, time.Now()); comes {
		c.timer = time.AfterFunc(delay, c.fire)
	}
}

// fire calls the first waiter if it is due. A timer may fire that has been stopped too
// late, so nothing is taken for granted.
func (c *Clock) fire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.advances > 0 { // then Advance calls who is due
		return
	}
	w := c.next(c.now())
	c.arm()
	if w != nil {
		c.call(w)
	}
}
