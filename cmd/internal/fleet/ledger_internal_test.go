package fleet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// Failures are counted by what they have in common.
func TestKindsOfFailures(t *testing.T) {
	network := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route")}
	for kind, test := range map[string]struct {
		status int
		text   string
		err    error
	}{
		"answered 500":                    {500, "", nil},
		"answered 503 POOL_UNAVAILABLE":   {503, `{"code":"POOL_UNAVAILABLE"}`, nil},
		"answered 418":                    {418, "", nil},
		"answered 200, but no success":    {200, "<html>", nil},
		"no answer in time":               {0, "", context.DeadlineExceeded},
		"no route":                        {0, "", network},
		"the connection broke":            {0, "", io.ErrUnexpectedEOF},
		syscall.EMFILE.Error():            {0, "", &net.OpError{Op: "dial", Err: syscall.EMFILE}},
		syscall.ENFILE.Error():            {0, "", &net.OpError{Op: "dial", Err: syscall.ENFILE}},
		syscall.EADDRNOTAVAIL.Error():     {0, "", &net.OpError{Op: "dial", Err: syscall.EADDRNOTAVAIL}},
		"dial: " + syscall.EMFILE.Error(): {0, "", &net.OpError{Err: os.NewSyscallError("dial", syscall.EMFILE)}},
	} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const often = 3
				failed := 0
				r, _ := simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if !isHeartbeat(r) || failed == often {
						return nil, nil
					}
					if failed++; test.err != nil {
						return nil, test.err
					}
					return answered(r, test.status, test.text)
				}, func(s *Settings) {
					s.Nodes, s.Lifetime, s.Node.MaxBackoff = 1, 20*time.Second, 100*time.Millisecond
				})
				want := map[string]int64{"heartbeat: " + kind: often}
				if diff := cmp.Diff(want, r.Failures); diff != "" || r.Beats.Retried != often ||
					r.Beats.Sent != r.Beats.Answered+often {
					t.Errorf("heartbeats are %+v, failures (-want +got):\n%s", r.Beats, diff)
				}
				files, ports := int64(0), int64(0)
				if errors.Is(test.err, syscall.EMFILE) || errors.Is(test.err, syscall.ENFILE) {
					files = often
				}
				if errors.Is(test.err, syscall.EADDRNOTAVAIL) {
					ports = often
				}
				if r.Machine.NoFile != files || r.Machine.NoPort != ports {
					t.Errorf("the machine is %+v", r.Machine)
				}
			})
		})
	}
}

// Of more than twenty kinds of failures the rest is counted as one.
func TestManyKindsOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := 0
		r, _ := simulate(t, t.Context(), func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if !isHeartbeat(r) || kinds == 60 {
				return nil, nil
			}
			kinds++
			return answered(r, 505+kinds%30, "") // each twice
		}, func(s *Settings) { s.Nodes, s.Lifetime, s.Node.MaxBackoff = 1, 20*time.Second, time.Millisecond })
		if others := r.Failures["others"]; kinds != 60 || others != 20 || len(r.Failures) != 21 {
			t.Errorf("%d others of %d failures: %v", others, kinds, r.Failures)
		}
	})
}

// A heartbeat counts for the last tick before the next one is due, and one that reports a change for none.
func TestTicks(t *testing.T) {
	const interval = 10 * time.Second
	tick := time.Unix(1_000_000_000, 0)
	for name, test := range map[string]struct {
		due, at, next time.Duration // from the first tick that is not answered
		missed, late  int64
		latency       time.Duration
	}{
		"at once":            {0, time.Millisecond, interval, 0, 0, time.Millisecond},
		"just in time":       {0, lateAfter, interval, 0, 0, lateAfter},
		"late":               {0, lateAfter + 1, interval, 0, 1, lateAfter},
		"a good retry":       {lateAfter / 2, lateAfter, interval, 0, 0, lateAfter},
		"a late retry":       {lateAfter, 2 * lateAfter, interval, 0, 1, 2 * lateAfter},
		"a change":           {-5 * time.Second, -2 * time.Second, 0, 0, 0, 3 * time.Second},
		"the tick after":     {interval, interval + lateAfter, 2 * interval, 1, 0, lateAfter},
		"late, and a missed": {interval, interval + lateAfter + 1, 2 * interval, 1, 1, lateAfter},
		"the third":          {2 * interval, 2*interval + lateAfter, 3 * interval, 2, 0, lateAfter},
	} {
		want := beats{Sent: 1, Answered: 1, Missed: test.missed, Late: test.late}
		ledger, a := newLedger(), &account{tick: tick, answered: true}
		ledger.answered(a, registration.Event{
			Due: tick.Add(test.due), Time: tick.Add(test.at), Next: test.next - test.at, Took: test.at - test.due,
		}, interval)
		got := ledger.now()
		if got.Beats != want || got.Latency.max.Truncate(time.Microsecond) != test.latency ||
			got.SentLate != 0 || !a.tick.Equal(tick.Add(test.next)) {
			t.Errorf("%s: %+v, latency %v, sent late %v, next %v", name, got.Beats, got.Latency.max,
				got.SentLate, a.tick)
		}
	}
}

// What a node that ends has not answered counts once, and what comes after does not.
func TestAClosedAccount(t *testing.T) {
	const interval = 10 * time.Second
	tick := time.Unix(1_000_000_000, 0)
	for after, missed := range map[time.Duration]int64{
		-interval: 0, 0: 0, lateAfter: 0, lateAfter + 1: 1, interval + lateAfter - 1: 1, interval + lateAfter: 2,
		interval + lateAfter + 1: 2,
	} {
		ledger, a := newLedger(), &account{tick: tick}
		ledger.close(a, tick.Add(after), interval)
		ledger.close(a, tick.Add(after+interval), interval)
		online := registration.Event{Type: registration.EventOnline, Due: tick, Time: tick, Next: interval}
		ledger.note(a, online, interval)
		if got := ledger.beats(); got != (beats{Missed: missed}) {
			t.Errorf("closed %v after a tick: %+v, want %d missed", after, got, missed)
		}
	}
	ledger := newLedger()
	if ledger.close(new(account), tick, interval); ledger.beats() != (beats{}) {
		t.Errorf("a node without a tick has %+v", ledger.beats())
	}
}
