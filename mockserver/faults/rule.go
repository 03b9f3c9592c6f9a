package faults

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/glob"
)

// Verdict is what is to become of a call.
type Verdict struct {
	Fault   string        // whose it is
	Latency time.Duration // of real time, to wait before anything else
	Effect  control.FaultEffect
}

// matches reports whether a rule fits a call, by all but what the rule has done before.
// A rule for nodes does not fit a call that concerns none.
func matches(m *control.FaultMatch, l lots, elapsed time.Duration) bool {
	if m == nil {
		return true
	}
	return (m.Operations == nil || slices.Contains(*m.Operations, l.call.operation)) &&
		(m.Node == nil || l.call.node != "" && glob.Fits(*m.Node, l.call.node)) &&
		counted(m, l.n) &&
		timely(m, elapsed) &&
		(m.Probability == nil || l.chance() < *m.Probability)
}

// counted reports whether the nth call is one of those that a rule acts on.
func counted(m *control.FaultMatch, n int64) bool {
	first := optional.Or(m.FirstCall, 1)
	return n >= first && (m.LastCall == nil || n <= *m.LastCall) && (n-first)%optional.Or(m.Every, 1) == 0
}

// timely reports whether a rule acts so long after its fault was switched on.
func timely(m *control.FaultMatch, elapsed time.Duration) bool {
	begin := milliseconds(optional.Or(m.AfterMs, 0))
	return elapsed >= begin && (m.ForMs == nil || elapsed < begin+milliseconds(*m.ForMs))
}

// latency returns how long an effect has a call wait.
func latency(e control.FaultEffect, l lots) time.Duration {
	least := milliseconds(optional.Or(e.LatencyMs, 0))
	if e.LatencyMaxMs == nil {
		return least
	}
	return least + time.Duration(l.size()*float64(milliseconds(*e.LatencyMaxMs)-least))
}

// lots is what chance is drawn from. It has nothing in it that depends on the order in
// which the calls of different nodes come.
type lots struct {
	seed  int64
	fault string
	rule  int
	call  call
	n     int64
}

// chance returns a number from 0 up to, but not, 1: whether the rule acts.
func (l lots) chance() float64 { return l.draw(0) }

// size returns a number from 0 up to, but not, 1: how much it acts.
func (l lots) size() float64 { return l.draw(1) }

func (l lots) draw(nth int) float64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d/%s/%d/%s", l.seed, l.fault, l.rule, l.call.operation, l.n,
		l.call.node))
	return float64(binary.BigEndian.Uint64(sum[8*nth:])>>11) / (1 << 53)
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
