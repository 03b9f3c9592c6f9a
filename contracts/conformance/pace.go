package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// heartbeatLimit is how long a heartbeat may take at the 99th percentile (CLOUD-11002).
	heartbeatLimit = time.Second
	// registrationLimit is the same for a registration (CLOUD-11001).
	registrationLimit = 5 * time.Second
)

// enoughTimed is how many calls of an operation are timed, so that a percentile says something.
const enoughTimed = 100

// enoughSlow is how many calls over the limit end a run early, if they are more than half of all.
const enoughSlow = 5

// pace is how long the calls of an operation took.
type pace struct {
	limit  time.Duration
	source string // the requirement that the limit is from

	mu    sync.Mutex
	took  []time.Duration
	slow  int // how many of them are over the limit
	ended bool

	slowest time.Duration // of the calls over the limit
	trail   []made        // that led to the slowest
}

// newPaces returns the pace of each operation that has a limit.
func newPaces() map[string]*pace {
	return map[string]*pace{
		opHeartbeat: {limit: heartbeatLimit, source: "CLOUD-11002"},
		opRegister:  {limit: registrationLimit, source: "CLOUD-11001"},
	}
}

// note records how long the last call of a trail took. It returns true once, when most are too slow.
func (p *pace) note(took time.Duration, trail ...made) (fatal bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if took > p.limit {
		p.slow++
	}
	if took > max(p.limit, p.slowest) {
		p.slowest, p.trail = took, slices.Clone(trail)
	}
	p.took = append(p.took, took)
	fatal = !p.ended && p.slow >= enoughSlow && 2*p.slow > len(p.took)
	p.ended = p.ended || fatal
	return fatal
}

// percentile returns the 99th percentile, zero where there was no call.
func (p *pace) percentile() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.took) == 0 {
		return 0
	}
	slices.Sort(p.took)
	return p.took[(len(p.took)*99+99)/100-1]
}

// tooSlow reports whether the 99th percentile is over the limit. One slow call is not
// enough, since it may be the whole percentile of fewer than a hundred calls.
func (p *pace) tooSlow() bool { return p.slowCalls() > 1 && p.percentile() > p.limit }

// missing returns how many calls are still to be timed.
func (p *pace) missing() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, enoughTimed-len(p.took))
}

func (p *pace) slowCalls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slow
}

// timed records how long an answer took. It stops the run if nearly all calls are too slow,
// because the run would then take far longer, too.
func (s *session) timed(a *answer) {
	if p := s.paces[a.op.id]; p != nil && p.note(a.ended.Sub(a.began), s.trail...) && s.selected(paceCheck) {
		s.comparePace(a.op)
		s.stop(errSlow)
	}
}

// comparePaces compares response times with their limits. It makes the calls that the other checks did not.
func comparePaces(ctx context.Context, s *session) {
	if beats, comings := s.paces[opHeartbeat].missing(), s.paces[opRegister].missing(); beats+comings > 0 {
		r, id := s.registry(), s.name()
		for range max(comings, 1) {
			s.begin()
			r.register(ctx, s.plainRegister(id), "of a registration")
		}
		for range beats {
			s.keepFirst(1)
			r.beat(ctx, id, s.plainBeat(), "of a heartbeat")
		}
		r.leave(ctx, id)
	}
	for _, op := range s.doc.operations {
		s.comparePace(op)
	}
}

// comparePace compares the response times of an operation with its limit.
func (s *session) comparePace(op *operation) {
	p := s.paces[op.id]
	if p == nil || !p.tooSlow() {
		return
	}
	s.trail = p.trail
	s.find(Nodes, op, "time at the 99th percentile", fmt.Sprintf("%v at most (%s)", p.limit, p.source),
		p.percentile().Round(time.Millisecond).String())
}

// describePace says how long calls took.
func (r *run) describePace() string {
	return fmt.Sprintf("99 %% of heartbeats within %v, of registrations within %v",
		r.paces[opHeartbeat].percentile().Round(time.Millisecond), r.paces[opRegister].percentile().Round(
			time.Millisecond))
}
