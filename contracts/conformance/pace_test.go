package conformance

import (
	"testing"
	"time"
)

// TestPercentile has a single slow heartbeat be chance, and two in a hundred not.
func TestPercentile(t *testing.T) {
	var p pace
	for range 98 {
		p.heartbeat(time.Millisecond)
	}
	p.heartbeat(3 * time.Second)
	if got := p.percentile(); got > heartbeatLimit {
		t.Errorf("one slow heartbeat of 99 makes it %v", got)
	}
	p.heartbeat(3 * time.Second)
	if got := p.percentile(); got != 3*time.Second {
		t.Errorf("two slow heartbeats of 100 make it %v", got)
	}
}

// TestHopelessPace has a run end when nearly all heartbeats are slow, and say so once.
func TestHopelessPace(t *testing.T) {
	var p pace
	said := 0
	for range 2 * enoughSlow {
		if p.heartbeat(3 * time.Second) {
			said++
		}
	}
	if said != 1 {
		t.Errorf("it was said %d times", said)
	}
}
