// Package clock lets code that waits be tested without waiting: it asks a Clock for
// the time, which is the real one in a program and a Manual one in a test.
//
//	clk := clock.NewManual(time.Unix(1_000_000_000, 0))
//	clk.AfterFunc(30*time.Second, func() { fmt.Println("half a minute is over") })
//	clk.Advance(time.Minute)
package clock

import "time"

// Clock tells the time and wakes up whoever waits for it. It is safe for concurrent
// use.
type Clock interface {
	// Now returns the time.
	Now() time.Time

	// AfterFunc calls f once, after d. The function that it returns prevents the
	// call; it reports false when it came too late or was called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Real is the clock of the machine. It calls functions in a goroutine of their own.
type Real struct{}

// Now returns the time of the machine.
func (Real) Now() time.Time { return time.Now() }

// AfterFunc calls f once, after d.
func (Real) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
