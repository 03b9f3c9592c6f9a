package clock_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
)

// TestLimit has a function on the way put the clock forward, too. The clock stands at its limit.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.PausedAt(start)
		clk.Limit(start.Add(15 * time.Second))
		clk.AfterFunc(time.Second, func() {
			if clk.Reaches(5*time.Second) != nil || !errors.Is(clk.Advance(5*time.Second+1), clock.ErrBeyond) {
				t.Error("the limit is not what lies behind the end of the way")
			}
		})
		if err := clk.Advance(10 * time.Second); err != nil {
			t.Error(err)
		}
		clk.Resume()
		time.Sleep(time.Minute)
		if err := clk.Reaches(1); !errors.Is(err, clock.ErrBeyond) {
			t.Errorf("it goes on: %v", err)
		}
		if passed := clk.Now().Sub(start); passed != 15*time.Second || clk.Advance(0) != nil {
			t.Errorf("%s passed", passed)
		}
	})
}

// TestLimitOnTheWay limits a clock that runs.
func TestLimitOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.PausedAt(start)
		clk.Resume()
		at, called := start.Add(time.Minute), 0
		clk.Limit(at)
		clk.At(at, func() { called++ })
		clk.At(at.Add(1), func() { t.Error("called beyond the limit") })
		time.Sleep(time.Hour)
		synctest.Wait()
		if now := clk.Now(); now != at || called != 1 {
			t.Errorf("it is %s, want %s, and %d were called", now, at, called)
		}
	})
}

func TestLimitBehind(t *testing.T) {
	clk := clock.PausedAt(start.Add(1))
	if clk.Limit(start); clk.Now() != start {
		t.Errorf("it stands at %s, beyond %s", clk.Now(), start)
	}
}

// TestRealTimeHasNoLimit gives a clock that shows real time orders that must not change it.
func TestRealTimeHasNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		clk.Resume()
		clk.Limit(time.Now())
		time.Sleep(time.Hour)
		if now := clk.Now(); now != time.Now() {
			t.Errorf("it is %s, want %s", now, time.Now())
		}
	})
}

// TestFarFuture goes on after the longest durations there are.
func TestFarFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		called := false
		clk.AfterFunc(math.MaxInt64, func() { called = true })
		clk.SetSpeed(clock.MinSpeed) // a timer for 292,000 years
		last := clk.Now()
		for range 10 {
			clk.Advance(math.MaxInt64)
			if now := clk.Now(); now.Sub(last) != math.MaxInt64 {
				t.Fatalf("%s comes after %s", now, last)
			}
			last = clk.Now()
		}
		if !called {
			t.Error("not called")
		}
		for _, test := range []struct {
			speed float64
			sleep time.Duration
		}{{clock.MaxSpeed, 13 * 24 * time.Hour}, {1024, 1 << 53}, {clock.MaxSpeed, 1000 * 24 * time.Hour}} {
			clk.SetSpeed(test.speed)
			time.Sleep(test.sleep)
			if !clk.Now().After(last) {
				t.Errorf("it is still %s after %s at the speed %g", last, test.sleep, test.speed)
			}
			last = clk.Now()
		}
		clk.SetSpeed(1)
		time.Sleep(1<<53 + 1)
		if passed := clk.Now().Sub(last); passed != 1<<53+1 {
			t.Errorf("%s passed, want %s", passed, time.Duration(1<<53+1))
		}
	})
}
