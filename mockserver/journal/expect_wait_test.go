package journal_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// TestExpectWaits has things happen while somebody expects them.
func TestExpectWaits(t *testing.T) {
	heartbeat := control.OperationHeartbeatNode
	for _, test := range []struct {
		expectation control.Expectation
		met         bool
		after       time.Duration
		message     string
	}{
		{
			control.Expectation{AtLeast: new(int32(3)), WithinMs: new(int64(5000))},
			true, 2 * time.Second,
			"3 of at least 3 events within 5 s",
		},
		{
			control.Expectation{AtLeast: new(int32(1)), WithinMs: new(int64(5000))},
			true, 0,
			"1 of at least 1 event within 5 s",
		},
		{
			control.Expectation{AtLeast: new(int32(9)), WithinMs: new(int64(2500))},
			false, 2500 * time.Millisecond,
			"3 of at least 9 events within 2.5 s",
		},
		{control.Expectation{AtLeast: new(int32(9))}, false, 0, "1 of at least 9 events"},
		{
			control.Expectation{AtLeast: new(int32(99)), WithinMs: new(int64(60000))},
			false, 9999 * time.Millisecond,
			"10 of at least 99 events within 60 s",
		},
		{
			control.Expectation{AtMost: new(int32(3)), WithinMs: new(int64(5000))},
			false, 3 * time.Second,
			"4 events within 5 s, at most 3 expected; the last: #4 heartbeatNode gpu-node-1 200",
		},
		{
			control.Expectation{AtMost: new(int32(3)), AtLeast: new(int32(3)), WithinMs: new(int64(2050))},
			true, 2050 * time.Millisecond, "3 of exactly 3 events within 2050 ms",
		},
		{
			control.Expectation{Operation: &heartbeat, Node: new("gpu-node-2"), WithinMs: new(int64(1500))},
			false, 1500 * time.Millisecond,
			"0 of at least 1 heartbeat from gpu-node-2 within 1.5 s; nearest: #2 heartbeatNode gpu-node-1 200: node " +
				"id gpu-node-1 does not fit gpu-node-2",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			events := journal.New(100)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-time.Millisecond)
			defer time.Sleep(time.Minute)
			defer cancel()
			begin := time.Now()
			go func() {
				for ctx.Err() == nil {
					events.Exchange(beat("gpu-node-1"))
					time.Sleep(time.Second)
				}
			}()
			synctest.Wait()
			got := events.Expect(ctx, test.expectation)
			if took := time.Since(begin); got.Met != test.met || took != test.after {
				t.Errorf("%+v after %s", got, took)
			}
			if got.Message != test.message {
				t.Errorf("message %q, want %q", got.Message, test.message)
			}
		})
	}
}

// TestExpectCountsToTheEnd has an entry come so soon before the end of the time that nobody is woken for it.
func TestExpectCountsToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := journal.New(10)
		go func() {
			time.Sleep(995 * time.Millisecond)
			write(events, 1)
			time.Sleep(4 * time.Millisecond)
			write(events, 1)
		}()
		got := events.Expect(t.Context(), control.Expectation{AtLeast: new(int32(2)), WithinMs: new(int64(1000))})
		if !got.Met {
			t.Errorf("%+v", got)
		}
	})
}

// TestExpectOfDropped counts entries that have made room for others.
func TestExpectOfDropped(t *testing.T) {
	events := journal.New(4)
	write(events, 10)
	for _, test := range []struct {
		after   int64
		message string
	}{
		{0, "4 of at least 5 events after #0; there may have been more: the journal had dropped 6 of the entries"},
		{4, "4 of at least 5 events after #4; there may have been more: the journal had dropped 2 of the entries"},
		{5, "4 of at least 5 events after #5; there may have been more: the journal had dropped 1 of the entries"},
		{6, "4 of at least 5 events after #6"},
	} {
		got := events.Expect(t.Context(), control.Expectation{AtLeast: new(int32(5)), After: &test.after})
		if got.Message != test.message || (got.Dropped == nil) != (test.after == 6) {
			t.Errorf("got %+v, want %s", got, test.message)
		}
	}
	if got := events.Expect(t.Context(), control.Expectation{AtMost: new(int32(4))}); !got.Met ||
		!strings.HasSuffix(got.Message, "; there may have been more: the journal had dropped 6 of the entries") {
		t.Errorf("with no more than are left: %+v", got)
	}
	// What was counted before it made room for others stays counted.
	synctest.Test(t, func(t *testing.T) {
		events := journal.New(4)
		go func() {
			for range 50 {
				time.Sleep(time.Second)
				write(events, 2)
			}
		}()
		got := events.Expect(t.Context(), control.Expectation{AtLeast: new(int32(90)), WithinMs: new(int64(60000))})
		if got.Count != 90 || got.Dropped != nil {
			t.Errorf("%+v", got)
		}
		time.Sleep(time.Minute)
	})
}
