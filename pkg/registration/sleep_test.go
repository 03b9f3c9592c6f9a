package registration_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestAfterTheMachineHasSlept(t *testing.T) {
	for name, test := range map[string]struct {
		clock []time.Duration // off by so much, for 18 s each
		want  string
	}{
		"an hour": {
			[]time.Duration{0, time.Hour}, "register heartbeat heartbeat register heartbeat heartbeat",
		},
		"ten seconds":      {[]time.Duration{0, 10 * time.Second}, "register heartbeat heartbeat heartbeat heartbeat"},
		"a clock set back": {[]time.Duration{0, -time.Hour}, "register heartbeat heartbeat heartbeat heartbeat"},
		"an hour, after that": {
			[]time.Duration{-time.Hour, 0}, "register heartbeat heartbeat register heartbeat heartbeat",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				node := newNode(t, config(t, w))
				var step atomic.Int64
				registration.SetWall(node, func() time.Time { return time.Now().Add(time.Duration(step.Load())) })
				if err := node.StartHeartbeat(t.Context(), ready); err != nil {
					t.Fatal(err)
				}
				for _, off := range test.clock {
					step.Store(int64(off))
					time.Sleep(18 * time.Second)
				}
				if w.ops() != test.want {
					t.Errorf("sent %s, want %s", w.ops(), test.want)
				}
				node.Deregister(t.Context())
			})
		})
	}
}

// A node that was registered before its machine slept does not rely on its record.
func TestAfterASleepBetweenRegisterAndStartHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := newNode(t, config(t, w))
		var step atomic.Int64
		registration.SetWall(node, func() time.Time { return time.Now().Add(time.Duration(step.Load())) })
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		step.Store(int64(time.Hour))
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		if s := node.Status(); s.NextRequest.IsZero() {
			t.Error("no request is planned right after StartHeartbeat")
		}
		time.Sleep(time.Second)
		if want := "register register heartbeat"; w.ops() != want {
			t.Errorf("sent %s, want %s", w.ops(), want)
		}
		node.Deregister(t.Context())
	})
}

// What a machine sleeps before a node is on record is no silence of that node.
func TestAfterASleepBetweenTwoAttemptsToRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var step atomic.Int64
		w := &wire{answer: func(n int, _ request) answer {
			if n == 0 {
				step.Store(int64(time.Hour))
				return answer{status: http.StatusServiceUnavailable}
			}
			return answer{}
		}}
		node := newNode(t, config(t, w))
		registration.SetWall(node, func() time.Time { return time.Now().Add(time.Duration(step.Load())) })
		if err := errors.Join(node.Register(t.Context()), node.StartHeartbeat(t.Context(), ready)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if want := "register register heartbeat"; w.ops() != want {
			t.Errorf("sent %s, want %s", w.ops(), want)
		}
		node.Deregister(t.Context())
	})
}
