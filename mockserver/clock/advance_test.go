package clock_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
)

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
