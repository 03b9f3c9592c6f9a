package clock_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/llama-orch/node-registration/mockserver/clock"
)

// model says in a few lines what a clock should do: how much time has passed, and what
// is to be called when.
type model struct {
	passed  time.Duration
	running bool
	speed   int
	pending map[int]time.Duration // when they are due
}

func (m *model) pass(real time.Duration) {
	if m.running {
		m.passed += real * time.Duration(m.speed)
	}
}

// TestModel changes a clock in all sorts of ways and compares it with the model after each.
func TestModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A testing.T that rapid knows as one would be asked for its deadline, in real time.
		rapid.Check(struct{ *testing.T }{t}, func(t *rapid.T) {
			begin := time.Now()
			clk := clock.New()
			m := model{running: true, speed: 1, pending: map[int]time.Duration{}}
			var mu sync.Mutex // of calls, for those of one moment come together
			calls := map[int]time.Duration{}
			stops := map[int]func() bool{}
			seconds := rapid.Custom(func(t *rapid.T) time.Duration {
				return time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second
			})
			t.Repeat(map[string]func(*rapid.T){
				"pause":  func(*rapid.T) { clk.Pause(); m.running = false },
				"resume": func(*rapid.T) { clk.Resume(); m.running = true },
				"speed": func(t *rapid.T) {
					m.speed = rapid.SampledFrom([]int{1, 2, 60}).Draw(t, "speed")
					clk.SetSpeed(float64(m.speed))
				},
				"advance": func(t *rapid.T) {
					d := seconds.Draw(t, "by")
					clk.Advance(d)
					m.passed += d
				},
				"sleep": func(t *rapid.T) {
					d := seconds.Draw(t, "for")
					time.Sleep(d)
					m.pass(d)
				},
				"wait": func(t *rapid.T) {
					id, d := len(stops), seconds.Draw(t, "for")
					m.pending[id] = m.passed + d
					stops[id] = clk.AfterFunc(d, func() {
						mu.Lock()
						defer mu.Unlock()
						calls[id] = clk.Now().Sub(begin)
					})
				},
				"stop": func(t *rapid.T) {
					if len(stops) == 0 {
						t.Skip("nothing to stop")
					}
					id := rapid.IntRange(0, len(stops)-1).Draw(t, "id")
					_, waits := m.pending[id]
					if stopped := stops[id](); stopped != waits {
						t.Errorf("stopping %d reported %t", id, stopped)
					}
					delete(m.pending, id)
				},
				"": func(t *rapid.T) {
					synctest.Wait()
					if state, want := clk.State(), (clock.State{
						Now: clk.Now(), Running: m.running,
						Speed: float64(m.speed),
					}); state != want || state.Now.Sub(begin) != m.passed {
						t.Errorf("state %+v after %s, want %+v after %s", state, state.Now.Sub(begin), want, m.passed)
					}
					mu.Lock()
					defer mu.Unlock()
					m.settle(t, calls)
				},
			})
			clk.Pause()
		})
	})
}

// settle holds the calls since the last time against those that were due.
func (m *model) settle(t *rapid.T, calls map[int]time.Duration) {
	for id, due := range m.pending {
		if due > m.passed {
			continue
		}
		at, called := calls[id]
		if late := at - due; !called || late < 0 || late > clock.MaxSpeed {
			t.Errorf("%d is called: %t, at %s, want %s", id, called, at, due)
		}
		delete(m.pending, id)
		delete(calls, id)
	}
	if len(calls) > 0 {
		t.Errorf("called without reason: %v", calls)
	}
}
