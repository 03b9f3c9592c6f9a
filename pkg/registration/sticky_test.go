package registration_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
)

// sticky is an orchestratord that goes on answering a node that it has written off,
// and that only a registration brings back. Nobody reaches it for a while, and what
// reaches it takes between no time and five seconds.
type sticky struct {
	timeout  time.Duration
	directed time.Duration // 0 for nothing
	away     time.Time
	back     time.Time

	requests   int
	heard      time.Time
	writtenOff int // heartbeats that it took from a node that it had written off
}

func (s *sticky) RoundTrip(r *http.Request) (*http.Response, error) {
	op, _ := opOf(r)
	s.requests++
	select {
	case <-time.After(time.Duration(s.requests%6) * time.Second):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	now := time.Now()
	if !now.Before(s.away) && now.Before(s.back) {
		return nil, errors.New("no route to host")
	}
	if op == "heartbeat" && now.Sub(s.heard) > s.timeout {
		s.writtenOff++
	}
	s.heard = now
	body := well(op).body
	if op == "heartbeat" {
		body = fmt.Sprintf(`{"success":true,"next_heartbeat_ms":%d}`, s.directed.Milliseconds())
	}
	return &http.Response{StatusCode: well(op).status, Body: io.NopCloser(bytes.NewBufferString(body)), Request: r}, nil
}

// A node that may have been written off registers: its heartbeats would be answered
// for ever, and bring it no work.
func TestANodeThatMayHaveBeenWrittenOffRegisters_heavy(t *testing.T) {
	race.Skip(t)
	for _, test := range []struct{ configured, directed, timeout, request time.Duration }{
		{10 * time.Second, 0, 30 * time.Second, 0},
		{14 * time.Second, 0, 30 * time.Second, 0},
		{14 * time.Second, 0, 30 * time.Second, 29 * time.Second},
		{time.Second, 0, 2100 * time.Millisecond, 2 * time.Second},
		{time.Second, 0, 30 * time.Second, 0},
		{149 * time.Second, 0, 300 * time.Second, 0},
		{0, 0, 21 * time.Second, 0},
		{0, 15 * time.Second, 30 * time.Second, 0},
		{0, 25 * time.Second, 30 * time.Second, 0},
		{0, 45 * time.Second, 30 * time.Second, 29900 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("interval %v directed %v timeout %v", test.configured, test.directed, test.timeout),
			func(t *testing.T) {
				for cut := test.timeout / 2; cut < test.timeout*3/2; cut += test.timeout / 50 {
					synctest.Test(t, func(t *testing.T) {
						begin := time.Now()
						s := &sticky{timeout: test.timeout, directed: test.directed, away: begin.Add(4 * test.timeout)}
						s.back = s.away.Add(cut)
						c := config(t, nil)
						c.HTTPClient = &http.Client{Transport: s}
						c.HeartbeatInterval, c.NodeTimeout = test.configured, test.timeout
						c.RequestTimeout = test.request
						node := newNode(t, c)
						if err := node.StartHeartbeat(t.Context(), ready); err != nil {
							t.Fatal(err)
						}
						time.Sleep(10 * test.timeout)
						if s.writtenOff > 0 {
							t.Errorf("cut off for %v, it sent %d heartbeats as a node that was written off, and is %s",
								cut,
								s.writtenOff, node.Status().State)
						}
						node.Deregister(t.Context())
					})
				}
			})
	}
}
