package clock

import (
	"errors"
	"fmt"
	"time"
)

// Advance puts the clock forward by d, whether it runs or not. It calls every function that
// falls due on the way, also one that such a function has set. It calls them in the order of
// their times, each while the clock shows its time, and all have returned when Advance does.
// Meanwhile no time passes by itself. A negative d is an error, and so is one that leads beyond
// the limit.
//
// Several calls at the same time add up. None waits for a function that was in flight when it
// began, so that functions may call Advance, too.
func (c *Clock) Advance(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("advance by %s: time does not run backwards", d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.reaches(d); err != nil {
		return err
	}
	end := c.depart(d)
	defer c.arrive()
	before := c.calls
	for {
		for len(c.inFlight) > 0 && c.inFlight[len(c.inFlight)-1] > before {
			c.returned.Wait()
		}
		w := c.next(end)
		if w == nil {
			c.turn(end)
			return nil
		}
		c.turn(w.due)
		c.call(w)
	}
}

// ErrBeyond is why a clock is not put beyond its limit.
var ErrBeyond = errors.New("the clock does not go on for so long")

// Reaches returns an ErrBeyond if the limit keeps Advance from putting the clock forward by d.
func (c *Clock) Reaches(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reaches(d)
}

func (c *Clock) reaches(d time.Duration) error {
	from := c.now()
	if c.advances > 0 {
		from = c.goal
	}
	if !(&course{end: c.end}).ends(from.Add(d)) {
		return nil
	}
	return fmt.Errorf("advance by %s: %w: it ends at %s", d, ErrBeyond, c.end.UTC().Format(time.RFC3339))
}

// depart makes the clock stand and returns where Advance is to take it.
func (c *Clock) depart(d time.Duration) time.Time {
	c.advances++
	if c.advances == 1 {
		c.turn(time.Time{})
		c.goal = c.now()
	}
	c.goal = c.goal.Add(d)
	return c.goal
}

// arrive lets the clock run on, if it should.
func (c *Clock) arrive() {
	c.advances--
	c.turn(time.Time{})
}
