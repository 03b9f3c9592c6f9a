package registration_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A status that the document declares for an operation is orchestratord's word. Any other comes from what
// lies in between, and may pass.
func TestOnlyOrchestratordRefuses(t *testing.T) {
	for _, test := range []struct {
		op     string
		status int
		kind   error
	}{
		{"register", 422, registration.ErrRefused},
		{"register", 404, registration.ErrUnavailable},
		{"register", 403, registration.ErrUnavailable},
		{"heartbeat", 422, registration.ErrRefused},
		{"heartbeat", 403, registration.ErrUnavailable},
		{"deregister", 405, registration.ErrRefused},
		{"deregister", 403, registration.ErrUnavailable},
		{"deregister", 422, registration.ErrUnavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			var seen recorder
			failed := false
			c := config(t, &wire{answer: func(_ int, r request) answer {
				if r.op != test.op || failed {
					return answer{}
				}
				failed = true
				return answer{status: test.status}
			}})
			c.OnEvent = seen.add
			node := newNode(t, c)
			_ = node.Register(t.Context())
			if err := node.StartHeartbeat(t.Context(), ready); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			node.Deregister(t.Context())
			synctest.Wait()
			failures := slices.DeleteFunc(seen.events, func(e registration.Event) bool { return e.Err == nil })
			if len(failures) != 1 || !errors.Is(failures[0].Err, test.kind) {
				t.Errorf("a %s that is answered %d has %+v, want %v", test.op, test.status, failures, test.kind)
			}
		})
	}
}
