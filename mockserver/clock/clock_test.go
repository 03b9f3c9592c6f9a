package clock_test

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/llama-orch/node-registration/mockserver/clock"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var start = time.Unix(1_000_000_000, 0)

func nothing() {}

// TestRealTime has a clock that nobody has changed. It shows what time.Now does.
func TestRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		var calls atomic.Int32
		stop := clk.AfterFunc(10*time.Second, func() { calls.Add(1) })
		stopOther := clk.At(clk.Now().Add(10*time.Second), func() { t.Error("stopped in vain") })
		time.Sleep(10*time.Second - 1)
		synctest.Wait()
		if calls.Load() != 0 || !stopOther() || stopOther() {
			t.Error("called too early, or stop did not report true once")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if calls.Load() != 1 || stop() {
			t.Errorf("called %d times", calls.Load())
		}
		if now := time.Now(); clk.Now() != now || clk.State() != (clock.State{Now: now, Running: true, Speed: 1}) {
			t.Errorf("it is %+v, want %s", clk.State(), now)
		}
	})
}

// TestRealTimeIsMonotonic checks that no step of the machine's clock is one of this clock. It runs outside a
// bubble, where times are not monotonic.
func TestRealTimeIsMonotonic(t *testing.T) {
	if now := clock.New().Now(); now == now.Round(0) {
		t.Errorf("%s would go with the steps of the machine's clock", now)
	}
}

// TestOrders lets 10 s of real time pass after each order.
func TestOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		begin := clk.Now()
		set := func(speed float64) func() { return func() { clk.SetSpeed(speed) } }
		for _, step := range []struct {
			name   string
			order  func()
			want   time.Duration // since the begin
			called bool          // a function that waits for 1 ms more than that of the step before
		}{
			{"nothing", func() {}, 10 * time.Second, true},
			{"pause", clk.Pause, 10 * time.Second, false},
			{"pause again", clk.Pause, 10 * time.Second, false},
			{"speed while paused", set(60), 10 * time.Second, false},
			{"resume", clk.Resume, 610 * time.Second, true},
			{"resume again", clk.Resume, 1210 * time.Second, true},
			{"slowly", set(clock.MinSpeed), 1210*time.Second + 10*time.Millisecond, true},
			{"fast", set(clock.MaxSpeed), 101_210*time.Second + 10*time.Millisecond, true},
			{"real time", set(1), 101_220*time.Second + 10*time.Millisecond, true},
			{"advance", func() { clk.Advance(time.Hour) }, 104_830*time.Second + 10*time.Millisecond, true},
		} {
			called := false
			stop := clk.AfterFunc(time.Millisecond, func() { called = true })
			step.order()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if passed := clk.Now().Sub(begin); passed != step.want || called != step.called {
				t.Errorf("%s: %s passed, called: %t; want %s, %t", step.name, passed, called, step.want, step.called)
			}
			stop()
		}
	})
}

// TestMoments looks when, in real time, a function is called that waits for a minute.
func TestMoments(t *testing.T) {
	for _, test := range []struct {
		name  string
		order func(*clock.Clock)
		want  time.Duration
	}{
		{"real time", func(*clock.Clock) {}, time.Minute},
		{"sped up", func(c *clock.Clock) { c.SetSpeed(60) }, time.Second},
		{"slowed down", func(c *clock.Clock) { c.SetSpeed(0.5) }, 2 * time.Minute},
		{
			"paused for an hour", func(c *clock.Clock) { c.Pause(); time.Sleep(time.Hour); c.Resume() },
			time.Hour + time.Minute,
		},
		{"sped up on the way", func(c *clock.Clock) { time.Sleep(30 * time.Second); c.SetSpeed(10) }, 33 * time.Second},
		{"put forward", func(c *clock.Clock) { c.Advance(20 * time.Second) }, 40 * time.Second},
		{"sped up a little, often", func(c *clock.Clock) {
			for i := range 1000 {
				c.SetSpeed(1 + float64(i%2))
				time.Sleep(10 * time.Millisecond)
			}
		}, 32*time.Second + 500*time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clk := clock.New()
				begin := time.Now()
				called := make(chan time.Duration)
				clk.AfterFunc(time.Minute, func() { called <- time.Since(begin) })
				test.order(clk)
				if at := <-called; at != test.want {
					t.Errorf("called after %s, want %s", at, test.want)
				}
			})
		})
	}
}

// TestPast has a function wait on a clock that stands for a time that has come.
func TestPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.PausedAt(start)
		calls := make(chan string)
		clk.At(start.Add(-time.Hour), func() { calls <- "an hour late" })
		clk.At(start, func() { calls <- "now" })
		clk.AfterFunc(1, func() { t.Error("called although the clock stands just before") })
		if first, second := <-calls, <-calls; first == second {
			t.Errorf("called: %s, twice", first)
		}
	})
}

func TestRefusals(t *testing.T) {
	clk := clock.PausedAt(start)
	before := clk.State()
	for _, speed := range []float64{
		0, -1, clock.MinSpeed / 2, clock.MaxSpeed * 2, math.NaN(), math.Inf(1),
		math.Inf(-1),
	} {
		if err := clk.SetSpeed(speed); err == nil || !strings.HasSuffix(err.Error(), "must be 0.001 to 10000") {
			t.Errorf("speed %g: %v", speed, err)
		}
	}
	if clk.Advance(-1) == nil {
		t.Error("time ran backwards")
	}
	if after := clk.State(); after != before {
		t.Errorf("state %+v, want %+v", after, before)
	}
}

// TestPanic leaves the clock usable.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		clk.AfterFunc(time.Second, func() { panic("f") })
		func() {
			defer func() { recover() }()
			clk.Advance(time.Minute)
			t.Error("the panic was swallowed")
		}()
		called := false
		clk.AfterFunc(time.Second, func() { called = true })
		time.Sleep(time.Second)
		synctest.Wait()
		if !called {
			t.Error("the clock has stopped")
		}
	})
}

// TestNeverBackwards reads a clock from two sides while another pauses, advances and speeds it up.
func TestNeverBackwards(t *testing.T) {
	clk := clock.New()
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for last := clk.Now(); ; {
				now := clk.Now()
				if now.Before(last) {
					t.Errorf("%s comes after %s", now, last)
					return
				}
				last = now
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 20_000 {
		clk.Pause()
		clk.Resume()
		clk.SetSpeed(float64(1 + i%100))
		stop := clk.AfterFunc(time.Microsecond, nothing)
		clk.Advance(time.Duration(i % 3))
		stop()
	}
	close(done)
	wg.Wait()
}

func BenchmarkNow(b *testing.B) {
	clk := clock.New()
	for b.Loop() {
		clk.Now()
	}
}
