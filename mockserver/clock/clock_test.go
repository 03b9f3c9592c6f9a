package clock_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
)

var (
	_ clock.Clock = clock.Real{}
	_ clock.Clock = (*clock.Manual)(nil)
)

// TestClocks holds both clocks to the same contract.
func TestClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		manual := clock.NewManual(time.Now())
		for _, test := range []struct {
			name    string
			clock   clock.Clock
			advance func(time.Duration)
		}{
			{"real", clock.Real{}, func(d time.Duration) { time.Sleep(d); synctest.Wait() }},
			{"manual", manual, manual.Advance},
		} {
			begin := test.clock.Now()
			var calls atomic.Int32
			stop := test.clock.AfterFunc(10*time.Second, func() { calls.Add(1) })
			stopOther := test.clock.AfterFunc(10*time.Second, func() { t.Errorf("%s: stopped in vain", test.name) })
			test.advance(10*time.Second - 1)
			if calls.Load() != 0 {
				t.Errorf("%s: called too early", test.name)
			}
			if !stopOther() || stopOther() {
				t.Errorf("%s: stop must report true once", test.name)
			}
			test.advance(1)
			test.advance(time.Minute)
			if calls.Load() != 1 || stop() {
				t.Errorf("%s: called %d times", test.name, calls.Load())
			}
			if passed := test.clock.Now().Sub(begin); passed != 70*time.Second {
				t.Errorf("%s: %s passed", test.name, passed)
			}
		}
	})
}

// TestManualOrder has timers fall due out of order, at the same time, and set by others.
func TestManualOrder(t *testing.T) {
	start := time.Unix(1_000_000_000, 0)
	manual := clock.NewManual(start)
	var calls []string
	after := func(seconds int, name string, then func()) {
		manual.AfterFunc(time.Duration(seconds)*time.Second, func() {
			calls = append(calls, fmt.Sprint(name, "@", manual.Now().Sub(start)))
			then()
		})
	}
	nothing := func() {}
	after(3, "third", nothing)
	after(1, "first", func() {
		after(1, "second", nothing)
		after(-1, "late", nothing)
		after(60, "never", nothing)
	})
	after(3, "fourth", nothing)
	manual.Advance(10 * time.Second)
	want := []string{"first@1s", "late@1s", "second@2s", "third@3s", "fourth@3s"}
	if !slices.Equal(calls, want) {
		t.Errorf("calls %v, want %v", calls, want)
	}
	if passed := manual.Now().Sub(start); passed != 10*time.Second {
		t.Errorf("%s passed", passed)
	}
}

func ExampleManual() {
	clk := clock.NewManual(time.Unix(1_000_000_000, 0))
	clk.AfterFunc(30*time.Second, func() { fmt.Println("half a minute is over") })
	clk.Advance(29 * time.Second)
	fmt.Println("not yet")
	clk.Advance(time.Second)
	// Output:
	// not yet
	// half a minute is over
}
