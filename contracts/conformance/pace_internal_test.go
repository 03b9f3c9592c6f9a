package conformance

import (
	"testing"
	"time"
)

// TestPercentile has a single slow heartbeat be chance, and two in a hundred not.
func TestPercentile(t *testing.T) {
	p := pace{limit: heartbeatLimit}
	for range 98 {
		p.note(time.Millisecond)
	}
	p.note(3 * time.Second)
	if p.tooSlow() {
		t.Error("one slow heartbeat of 99 is too much")
	}
	p.note(3 * time.Second)
	if !p.tooSlow() || p.percentile() != 3*time.Second {
		t.Errorf("two slow heartbeats of 100 make it %v", p.percentile())
	}
}

// TestHopelessPace has a run end when nearly all heartbeats are slow, and say so once.
func TestHopelessPace(t *testing.T) {
	p := pace{limit: heartbeatLimit}
	said := 0
	for range 2 * enoughSlow {
		if p.note(3 * time.Second) {
			said++
		}
	}
	if said != 1 {
		t.Errorf("it was said %d times", said)
	}
}
