package registration_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer { return answer{delay: 500 * time.Millisecond} }}
		node := beating(t, config(t, w), ready)
		time.Sleep(8 * time.Second) // the first heartbeat was at 1 s
		changed := time.Now()
		for range 1000 {
			node.Notify()
		}
		time.Sleep(time.Millisecond)
		node.Notify() // while a heartbeat is in flight: its status may be older
		time.Sleep(2 * time.Second)
		beats := w.of("heartbeat")[1:]
		if len(beats) != 2 || !beats[0].at.Equal(changed) || beats[1].at.Sub(changed) > 2*time.Second {
			t.Errorf("after the changes came %d heartbeats, want one at once and one within 2 s: %v", len(beats), beats)
		}
		time.Sleep(10 * time.Second)
		ticks := w.of("heartbeat")
		if offset := (ticks[len(ticks)-1].at.Sub(changed) + 3*time.Second) % (10 * time.Second); offset != 0 {
			t.Errorf("notifications moved the grid by %v", offset)
		}
		node.Deregister(t.Context())
	})
}

func TestNotifyOvertakesASlowHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n == 1 {
				return answer{delay: 4 * time.Second}
			}
			return answer{}
		}}
		var seen recorder
		c := config(t, w)
		c.OnEvent = seen.add
		node := beating(t, c, ready)
		time.Sleep(700 * time.Millisecond) // a heartbeat is in flight since 500 ms
		changed := time.Now()
		node.Notify()
		node.Notify()
		time.Sleep(2 * time.Second)
		beats := w.of("heartbeat")
		if len(beats) != 2 || beats[1].at.Sub(changed) > 2*time.Second || w.peak() != 1 {
			t.Errorf("%d heartbeats, %d at once; want a second one within 2 s of the change", len(beats), w.peak())
		}
		synctest.Wait()
		if failed := seen.events[1]; !strings.Contains(failed.Err.Error(), "a newer status was sent") {
			t.Errorf("the slow heartbeat ended with %v", failed.Err)
		}
		node.Deregister(t.Context())
	})
}

// An orchestratord that is slow must not lose every heartbeat to news, nor a registration.
func TestWhatNotifyDoesNotCutOff(t *testing.T) {
	const slow = 2 * time.Second
	for name, test := range map[string]struct {
		slow []int // the requests that are
		cut  []int // those of them that are cut off
		lost []int // the heartbeats that find no record
	}{
		"a registration":                       {[]int{0}, nil, nil},
		"the heartbeat after one cut off":      {[]int{1, 2}, []int{1}, nil},
		"a heartbeat after a good one":         {[]int{1, 3}, []int{1, 3}, nil},
		"the heartbeats until one is accepted": {[]int{1, 2, 4}, []int{1, 4}, nil},
		"the heartbeat after a registration":   {[]int{1, 4}, []int{1}, []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cut [10]bool
				w := &wire{answer: func(n int, _ request) answer {
					switch {
					case slices.Contains(test.slow, n):
						return answer{delay: slow, canceled: &cut[n]}
					case slices.Contains(test.lost, n):
						return problem(http.StatusNotFound, "unknown_node")
					}
					return answer{}
				}}
				var seen recorder
				c := config(t, w)
				c.OnEvent = seen.add
				node := newNode(t, c)
				if err := node.StartHeartbeat(t.Context(), ready); err != nil {
					t.Fatal(err)
				}
				for range 200 {
					time.Sleep(50 * time.Millisecond)
					node.Notify()
				}
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				var got []int
				for n, off := range cut {
					if off {
						got = append(got, n)
					}
				}
				if !slices.Equal(got, test.cut) {
					t.Errorf("requests %v were cut off, want %v; sent %s", got, test.cut, w.ops())
				}
				online := slices.DeleteFunc(seen.types(),
					func(e registration.EventType) bool { return e != registration.EventOnline })
				if len(online) != 1 {
					t.Errorf("it came online %d times: to be overtaken is no failure", len(online))
				}
			})
		})
	}
}

// The status that the callback is about to give may be older than the news.
func TestNotifyFromTheStatusCallbackOvertakesASlowHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n == 1 {
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		node := newNode(t, config(t, w))
		var changed time.Time
		err := node.StartHeartbeat(t.Context(), func(ctx context.Context) ([]registration.PoolStatus, error) {
			if changed.IsZero() {
				changed = time.Now()
				node.Notify()
				time.Sleep(20 * time.Millisecond)
			}
			return ready(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(8 * time.Second) // the first heartbeat is due at 500 ms
		if beats := w.of("heartbeat"); len(beats) != 2 || beats[1].at.Sub(changed) > 2*time.Second {
			t.Errorf("%d heartbeats; want a second one within 2 s of the change", len(beats))
		}
		node.Deregister(t.Context())
	})
}

// News brings no registration forward: a node that is forgotten again and again asks less often.
func TestNewsDuringACooldownWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(_ int, r request) answer {
			if r.op == "heartbeat" {
				return answer{status: http.StatusNotFound}
			}
			return answer{}
		}}
		c := config(t, w)
		c.Jitter = func() float64 { return 0.99 } // pauses of nearly 1, 2, 4, … s
		node := beating(t, c, ready)
		for range 240 {
			time.Sleep(250 * time.Millisecond)
			node.Notify()
		}
		if n := len(w.of("register")); n > 8 {
			t.Errorf("%d registrations in a minute of 404, want 8 at the most", n)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
