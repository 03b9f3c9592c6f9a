package conformance

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// heartbeatLimit is how long a heartbeat may take at the 99th percentile (CLOUD-11002).
// The limit of a registration is callTimeout.
const heartbeatLimit = time.Second

// enoughSlow is how many heartbeats over the limit, most of all, end a run early.
const enoughSlow = 5

// pace is how long heartbeats took.
type pace struct {
	mu    sync.Mutex
	took  []time.Duration
	slow  int // those over the limit
	ended bool
}

// heartbeat notes how long a heartbeat took. It reports once when nearly all are too slow.
func (p *pace) heartbeat(took time.Duration) (hopeless bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, took)
	if took > heartbeatLimit {
		p.slow++
	}
	hopeless = !p.ended && p.slow >= enoughSlow && 2*p.slow > len(p.took)
	p.ended = p.ended || hopeless
	return hopeless
}

// percentile returns the 99th percentile, unless a single heartbeat alone makes it.
func (p *pace) percentile() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow < 2 {
		return 0
	}
	slices.Sort(p.took)
	return p.took[(len(p.took)*99+99)/100-1]
}

// beaten notes how long an answer to a heartbeat took. Where nearly all take too long,
// the run ends: it would take as much longer.
func (s *session) beaten(a *answer) {
	if s.pace.heartbeat(a.ended.Sub(a.began)) {
		s.judgePace()
		s.stop(errSlow)
	}
}

// judgePace holds the heartbeats of a run against their limit.
func (s *session) judgePace() {
	if slow := s.pace.percentile(); slow > heartbeatLimit {
		s.find(Nodes, s.doc.operation(opHeartbeat), "time at the 99th percentile",
			fmt.Sprintf("%v at most (CLOUD-11002)", heartbeatLimit), slow.Round(time.Millisecond).String())
	}
}
