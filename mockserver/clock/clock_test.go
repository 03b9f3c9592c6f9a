package clock_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
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

// TestAdvance has functions fall due out of order, at the same time, and set by others.
func TestAdvance(t *testing.T) {
	for _, test := range []struct {
		name  string
		clock func() *clock.Clock
	}{
		{"paused", func() *clock.Clock { return clock.PausedAt(start) }},
		{"running", clock.New},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clk := test.clock()
				begin := clk.Now()
				var calls []string
				after := func(seconds int, name string, then func()) {
					clk.AfterFunc(time.Duration(seconds)*time.Second, func() {
						calls = append(calls, fmt.Sprint(name, "@", clk.Now().Sub(begin)))
						time.Sleep(time.Minute) // of real time, which does not count
						then()
					})
				}
				after(3, "third", nothing)
				after(1, "first", func() {
					after(1, "second", nothing)
					after(-1, "late", nothing)
					clk.At(begin, func() { calls = append(calls, "past") })
					after(60, "never", nothing)
				})
				after(3, "fourth", nothing)
				if err := clk.Advance(10 * time.Second); err != nil {
					t.Error(err)
				}
				if want := []string{
					"first@1s", "past", "late@1s", "second@2s", "third@3s",
					"fourth@3s",
				}; !slices.Equal(calls, want) {
					t.Errorf("calls %v, want %v", calls, want)
				}
				if passed := clk.Now().Sub(begin); passed != 10*time.Second {
					t.Errorf("%s passed", passed)
				}
				clk.Pause()
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

// TestAdvanceWithinAdvance has a function that is called by the clock call everything.
func TestAdvanceWithinAdvance(t *testing.T) {
	for _, test := range []struct {
		name  string
		clock func() *clock.Clock
		want  clock.State
	}{
		{"paused", func() *clock.Clock { return clock.PausedAt(start) }, clock.State{Speed: 7, Running: true}},
		{"running", clock.New, clock.State{Speed: 7, Running: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clk := test.clock()
				begin := clk.Now()
				var calls []string
				call := func(name string) { calls = append(calls, fmt.Sprint(name, "@", clk.Now().Sub(begin))) }
				clk.AfterFunc(15*time.Second, func() { call("beyond") })
				clk.AfterFunc(2*time.Second, func() { call("second") })
				clk.AfterFunc(time.Second, func() {
					stop := clk.AfterFunc(time.Second, func() { t.Error("stopped in vain") })
					stop()
					clk.Pause()
					clk.SetSpeed(7)
					clk.Advance(10 * time.Second)
					clk.Resume()
					call("first")
				})
				clk.Advance(10 * time.Second)
				if want := []string{"second@2s", "beyond@15s", "first@20s"}; !slices.Equal(calls, want) {
					t.Errorf("calls %v, want %v", calls, want)
				}
				test.want.Now = begin.Add(20 * time.Second)
				if state := clk.State(); state != test.want {
					t.Errorf("state %+v, want %+v", state, test.want)
				}
			})
		})
	}
}

// TestAdvanceFromManySides adds up what goroutines advance at the same time.
func TestAdvanceFromManySides(t *testing.T) {
	const sides, steps = 8, 50
	clk := clock.PausedAt(start)
	var returned atomic.Int32
	for i := range sides * steps {
		due := start.Add(time.Duration(i+1) * time.Second)
		clk.At(due, func() {
			if now := clk.Now(); now.Before(due) {
				t.Errorf("called at %s, want %s", now, due)
			}
			returned.Add(1)
		})
	}
	var wg sync.WaitGroup
	for range sides {
		wg.Go(func() {
			for range steps {
				clk.Advance(time.Second)
			}
		})
	}
	wg.Wait()
	if passed := clk.Now().Sub(start); passed != sides*steps*time.Second || returned.Load() != sides*steps {
		t.Errorf("%s passed with %d calls", passed, returned.Load())
	}
}

// TestAdvanceWaits has two goroutines advance. One calls a function that takes its time.
// Neither is done before that is.
func TestAdvanceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.PausedAt(start)
		begin, finish := make(chan struct{}), make(chan struct{})
		var calls []string
		clk.AfterFunc(1*time.Second, func() { <-begin })
		clk.AfterFunc(2*time.Second, func() { <-finish; calls = append(calls, "long") })
		clk.AfterFunc(3*time.Second, func() { calls = append(calls, "after it") })
		var returned atomic.Int32
		advance := func(d time.Duration) {
			clk.Advance(d)
			returned.Add(1)
		}
		go advance(2 * time.Second)
		synctest.Wait()
		go advance(2 * time.Second) // goes on with the function at 2 s
		synctest.Wait()
		close(begin)
		synctest.Wait()
		if returned.Load() != 0 {
			t.Error("Advance returned before the function did")
		}
		close(finish)
		synctest.Wait()
		if want := []string{"long", "after it"}; returned.Load() != 2 || !slices.Equal(calls, want) {
			t.Errorf("%d returned, calls %v", returned.Load(), calls)
		}
	})
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

// TestNeverBackwards reads a clock from many sides while others pause, advance and speed it up.
func TestNeverBackwards(t *testing.T) {
	clk := clock.New()
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
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

func ExampleClock_Advance() {
	clk := clock.PausedAt(time.Unix(1_000_000_000, 0))
	clk.AfterFunc(30*time.Second, func() { fmt.Println("half a minute is over") })
	clk.Advance(29 * time.Second)
	fmt.Println("not yet")
	clk.Advance(time.Second)
	// Output:
	// not yet
	// half a minute is over
}
