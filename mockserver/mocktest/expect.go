package mocktest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// expectTimeout is how long a test waits, by default, for something that should happen.
const expectTimeout = 5 * time.Second

// Requests is what an expectation counts.
type Requests control.Operation

// The requests of nodes. AllRequests are these, and those that fit no operation.
const (
	Heartbeats      = Requests(control.OperationHeartbeatNode)
	Registrations   = Requests(control.OperationRegisterNode)
	Deregistrations = Requests(control.OperationDeregisterNode)
	Listings        = Requests(control.OperationListNodes)
	AllRequests     = Requests("")
)

// Expectation is what should have happened. It is made by AtLeast, AtMost or Exactly, and
// its methods return a narrower one.
type Expectation struct {
	// Control is the expectation as the control API states it. What has no method can be set here.
	Control control.Expectation
}

// AtLeast expects n requests or more, as soon as they have come. It waits for 5 s, unless
// Within says otherwise.
func AtLeast(n int, of Requests) Expectation {
	e := expect(of)
	e.Control.AtLeast = count(n)
	return e.Within(expectTimeout)
}

// AtMost expects n requests or fewer: by now, or with Within by the end of that time.
func AtMost(n int, of Requests) Expectation {
	e := expect(of)
	e.Control.AtMost = count(n)
	return e
}

// Exactly expects n requests: by now, or with Within by the end of that time.
func Exactly(n int, of Requests) Expectation {
	e := AtMost(n, of)
	e.Control.AtLeast = e.Control.AtMost
	return e
}

// count keeps what is no sensible number from becoming one.
func count(n int) *int32 {
	return new(int32(min(max(n, math.MinInt32), math.MaxInt32)))
}

func expect(of Requests) Expectation {
	e := Expectation{control.Expectation{Kind: new(control.EntryKindExchange)}}
	if of != AllRequests {
		e.Control.Operation = new(control.Operation(of))
	}
	return e
}

// From counts requests of nodes whose id fits, such as gpu-node-1 or gpu-*.
func (e Expectation) From(node string) Expectation {
	e.Control.Node = &node
	return e
}

// Answered counts requests with this answer: a status such as "404", a class of statuses such as
// "4xx", or "none".
func (e Expectation) Answered(status string) Expectation {
	e.Control.Answered = &status
	return e
}

// WithPool counts heartbeats that report a pool which is like that.
func (e Expectation) WithPool(id string, is ...PoolState) Expectation {
	pool := control.PoolExpectation{PoolID: id}
	for _, state := range is {
		state(&pool)
	}
	e.Control.Pool = &pool
	return e
}

// After counts requests that come later in the journal than the entry with this number,
// such as Journal().Counts().Last.
func (e Expectation) After(sequence int64) Expectation {
	e.Control.After = &sequence
	return e
}

// Within waits that long at most, in real time, or in that of the bubble.
func (e Expectation) Within(wait time.Duration) Expectation {
	e.Control.WithinMs = new(wait.Milliseconds())
	return e
}

// PoolState is how a pool may be.
type PoolState func(*control.PoolExpectation)

// Ready is a pool that is ready.
func Ready(e *control.PoolExpectation) { e.Ready = new(true) }

// NotReady is a pool that is not ready.
func NotReady(e *control.PoolExpectation) { e.Ready = new(false) }

// Draining is a pool that drains.
func Draining(e *control.PoolExpectation) { e.Draining = new(true) }

// NotDraining is a pool that does not drain.
func NotDraining(e *control.PoolExpectation) { e.Draining = new(false) }

// SlotsFree is a pool with so many free slots.
func SlotsFree(n int) PoolState {
	return func(e *control.PoolExpectation) { e.MinSlotsFree, e.MaxSlotsFree = count(n), count(n) }
}

// Expect ends the test with the nearest miss if an expectation is not met. It ends it at once,
// with all that is wrong, if journal.CheckExpectation finds fault with the expectation.
func (s *Server) Expect(t testing.TB, e Expectation) {
	t.Helper()
	if wrong := journal.CheckExpectation(e.Control); wrong != nil {
		t.Fatalf("this cannot be expected: %v", faults.Invalid(wrong))
	}
	if result := s.Journal().Expect(t.Context(), e.Control); !result.Met {
		t.Fatal(explain(result))
	}
}

// explain says why an expectation is not met, with the request that came nearest.
func explain(result control.ExpectationResult) string {
	lines := []string{result.Message}
	if result.Nearest == nil {
		return result.Message
	}
	if request := result.Nearest.Entry.Request; request != nil {
		lines = append(lines, "> "+request.Method+" "+request.Path)
		if request.Body != nil {
			lines = append(lines, "> "+request.Body.Text)
		}
	}
	if answer := result.Nearest.Entry.Answer; answer != nil {
		if answer.Status != nil {
			lines = append(lines, fmt.Sprint("< ", *answer.Status))
		}
		if answer.Body != nil {
			lines = append(lines, "< "+strings.TrimSpace(answer.Body.Text))
		}
	}
	return strings.Join(lines, "\n")
}

// Gone is the status of a node that is not registered.
const Gone nodeapi.NodeStatus = ""

// lookPause is how long ExpectStatus does without a look at the node: a journal that keeps nothing
// shows no change.
const lookPause = 100 * time.Millisecond

// ExpectStatus waits until a node has a status. It ends the test if that takes more than
// 5 s.
func (s *Server) ExpectStatus(t testing.TB, node nodeapi.NodeID, status nodeapi.NodeStatus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), expectTimeout)
	defer cancel()
	for {
		seen := s.Journal().Counts().Last // first, so that no change after the look is missed
		if s.statusOf(node) == status {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s is %s, not %s, after %s%s", node, cmp.Or(s.statusOf(node), "gone"), cmp.Or(status, "gone"),
				expectTimeout, s.changesOf(node))
		}
		s.Journal().Expect(ctx, control.Expectation{After: &seen, WithinMs: new(lookPause.Milliseconds())})
	}
}

func (s *Server) statusOf(node nodeapi.NodeID) nodeapi.NodeStatus {
	known, _ := s.Node(node)
	return known.Status
}

// changesOf lists the changes that led to the status of a node.
func (s *Server) changesOf(node nodeapi.NodeID) string {
	var lines strings.Builder
	for _, entry := range s.Journal().Page(journal.Filter{Node: node, Kind: control.EntryKindChange}, 10).Entries {
		fmt.Fprintf(&lines, "\n#%d %s", entry.Sequence, entry.Summary)
	}
	return lines.String()
}
