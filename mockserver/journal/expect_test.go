package journal_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// beatWith returns a heartbeat that reports a pool.
func beatWith(node, pool string, ready bool, slotsFree int) journal.Exchange {
	e := beat(node)
	e.RequestBody = fmt.Appendf(nil,
		`{"timestamp":"2025-10-01T00:00:00Z","pools":[{"pool_id":%q,"ready":%v,"slots_free":%d}]}`,
		pool, ready, slotsFree)
	return e
}

// TestExpect checks results, of a journal in which all has happened.
func TestExpect(t *testing.T) {
	events := journal.New(100)
	events.Exchange(beatWith("gpu-node-1", "pool-0", false, 0)) // 1
	events.Exchange(beatWith("gpu-node-1", "pool-0", true, 4))  // 2
	events.Exchange(beatWith("gpu-node-1", "pool-1", true, 4))  // 3
	refused := beatWith("gpu-node-2", "pool-0", true, 4)
	refused.Status, refused.AnswerBody = 404, []byte(`{"code":"unknown_node"}`)
	events.Exchange(refused)                                                                // 4
	events.Change("gpu-node-1", epoch, nodeapi.NodeStatusOnline, nodeapi.NodeStatusOffline) // 5
	events.Control(epoch, "the clock was paused")                                           // 6
	silent := beat("gpu-node-3")
	silent.Operation, silent.Status, silent.Fault = control.OperationRegisterNode, 0, "outage"
	events.Exchange(silent) // 7
	register, heartbeat := control.OperationRegisterNode, control.OperationHeartbeatNode

	for _, test := range []struct {
		expectation control.Expectation
		met         bool
		count       int64
		message     string
		nearest     int64
	}{
		{control.Expectation{}, true, 1, "1 of at least 1 event", 0},
		{control.Expectation{AtLeast: new(int32(7))}, true, 7, "7 of at least 7 events", 0},
		{control.Expectation{AtLeast: new(int32(8))}, false, 7, "7 of at least 8 events", 0},
		{control.Expectation{AtLeast: new(int32(0))}, true, 0, "0 of at least 0 events", 0},
		{
			control.Expectation{Node: new("gpu-node-2"), Pool: &control.PoolExpectation{PoolID: "pool-0"}},
			true, 1, "1 of at least 1 heartbeat from gpu-node-2 with pool-0", 0,
		},
		{
			control.Expectation{After: new(int64(7)), WithinMs: new(int64(0))},
			false, 0, "0 of at least 1 event after #7 within 0 ms; there are no entries", 0,
		},
		{
			control.Expectation{Node: new("gpu-node-1"), Operation: &heartbeat, AtLeast: new(int32(3))},
			true, 3, "3 of at least 3 heartbeats from gpu-node-1", 0,
		},
		{
			control.Expectation{
				Node: new("gpu-node-1"), Operation: &heartbeat, AtLeast: new(int32(3)),
				Pool: &control.PoolExpectation{PoolID: "pool-0", Ready: new(true)},
			},
			false, 1, "1 of at least 3 heartbeats from gpu-node-1 with pool-0 ready; " +
				"nearest: #1 heartbeatNode gpu-node-1 200: pool-0 should be ready, but is not", 1,
		},
		{
			control.Expectation{
				Node: new("gpu-node-1"), Operation: &heartbeat, Answered: new("2xx"), AtLeast: new(int32(3)),
				Pool: &control.PoolExpectation{PoolID: "pool-0", Ready: new(true)},
			},
			false, 1, "1 of at least 3 heartbeats from gpu-node-1 answered 2xx with pool-0 ready; " +
				"nearest: #1 heartbeatNode gpu-node-1 200: pool-0 should be ready, but is not", 1,
		},
		{
			control.Expectation{
				Node: new("gpu-node-1"), Operation: &heartbeat, Answered: new("404"),
				Pool: &control.PoolExpectation{
					PoolID: "pool-1", Ready: new(false), Draining: new(true), MinSlotsFree: new(int32(5)),
					MaxSlotsFree: new(int32(1)),
				},
			},
			false, 0, "0 of at least 1 heartbeat from gpu-node-1 answered 404 with pool-1 not ready and draining " +
				"and at least 5 slots free and at most 1 slot free; " +
				"nearest: #3 heartbeatNode gpu-node-1 200: answered 200, not 404, pool-1 should not be ready, but " +
				"is, pool-1 should be draining, but is not, " +
				"pool-1 should have at least 5 slots free, but has 4, " +
				"pool-1 should have at most 1 slot free, but has 4", 3,
		},
		{
			control.Expectation{Node: new("gpu-node-2"), Pool: &control.PoolExpectation{PoolID: "pool-1"}},
			false, 0, "0 of at least 1 heartbeat from gpu-node-2 with pool-1; " +
				"nearest: #4 heartbeatNode gpu-node-2 404 unknown_node: does not report pool-1", 4,
		},
		{
			control.Expectation{
				Node: new("gpu-node-3"),
				Pool: &control.PoolExpectation{PoolID: "pool-0", Ready: new(false)},
			},
			false, 0, "0 of at least 1 heartbeat from gpu-node-3 with pool-0 not ready; " +
				"nearest: #1 heartbeatNode gpu-node-1 200: node id gpu-node-1 does not fit gpu-node-3", 1,
		},
		{
			control.Expectation{Operation: &register, Pool: &control.PoolExpectation{PoolID: "pool-0"}},
			false, 0, "0 of at least 1 heartbeat with pool-0; " +
				"nearest: #7 registerNode gpu-node-3 no answer (fault outage): is no heartbeat, which reports pools", 7,
		},
		{
			control.Expectation{Operation: &register, Answered: new("2xx")},
			false, 0, "0 of at least 1 registration answered 2xx; " +
				"nearest: #7 registerNode gpu-node-3 no answer (fault outage): not answered, instead of 2xx", 7,
		},
		{
			control.Expectation{Operation: &heartbeat, Answered: new("none"), Node: new("*-2")},
			false, 0, "0 of at least 1 heartbeat from *-2 without an answer; " +
				"nearest: #4 heartbeatNode gpu-node-2 404 unknown_node: answered 404, where no answer is expected", 4,
		},
		{control.Expectation{Answered: new("none")}, true, 1, "1 of at least 1 request without an answer", 0},
		{
			control.Expectation{Node: new("gpu-node-1"), Becomes: new(nodeapi.NodeStatusOnline)},
			false, 0,
			"0 of at least 1 change of gpu-node-1 to Online; nearest: #5 gpu-node-1 Online → Offline: became " +
				"Offline, not Online", 5,
		},
		{
			control.Expectation{Node: new("gpu-node-4"), Kind: new(control.EntryKindChange)},
			false, 0,
			"0 of at least 1 change of gpu-node-4; nearest: #5 gpu-node-1 Online → Offline: node id gpu-node-1 does " +
				"not fit gpu-node-4", 5,
		},
		{
			control.Expectation{Becomes: new(nodeapi.NodeStatusOnline), After: new(int64(5))},
			false, 0,
			"0 of at least 1 change to Online after #5; nearest: #7 registerNode gpu-node-3 no answer (fault " +
				"outage): is no change of status", 7,
		},
		{
			control.Expectation{Kind: new(control.EntryKindControl), Node: new("*")},
			false, 0,
			"0 of at least 1 control action from *; nearest: #6 the clock was paused: has no node id to fit *", 6,
		},
		{control.Expectation{Operation: &heartbeat, AtMost: new(int32(4))}, true, 4, "4 of at most 4 heartbeats", 0},
		{
			control.Expectation{Operation: &heartbeat, AtMost: new(int32(1))},
			false, 2, "2 heartbeats, at most 1 expected; the last: #2 heartbeatNode gpu-node-1 200", 0,
		},
		{
			control.Expectation{Operation: &heartbeat, AtMost: new(int32(0))},
			false, 1, "1 heartbeat, none expected; the last: #1 heartbeatNode gpu-node-1 200", 0,
		},
		{
			control.Expectation{Operation: &register, AtMost: new(int32(0))},
			false, 1, "1 registration, none expected; the last: #7 registerNode gpu-node-3 no answer (fault outage)", 0,
		},
		{
			control.Expectation{Operation: new(control.OperationListNodes), AtMost: new(int32(0))},
			true, 0, "0 of exactly 0 listings", 0,
		},
		{
			control.Expectation{Operation: new(control.OperationDeregisterNode), AtMost: new(int32(2))},
			true, 0, "0 of at most 2 deregistrations", 0,
		},
		{
			control.Expectation{Kind: new(control.EntryKindExchange), AtLeast: new(int32(5))},
			true, 5, "5 of at least 5 requests", 0,
		},
		{
			control.Expectation{Becomes: new(nodeapi.NodeStatusOffline)},
			true, 1, "1 of at least 1 change to Offline", 0,
		},
		{
			control.Expectation{Pool: &control.PoolExpectation{
				PoolID: "pool-1", MinSlotsFree: new(int32(4)), MaxSlotsFree: new(int32(4)),
			}},
			true, 1, "1 of at least 1 heartbeat with pool-1 at least 4 slots free and at most 4 slots free", 0,
		},
		{
			control.Expectation{Operation: &register, AtMost: new(int32(1)), AtLeast: new(int32(1))},
			true, 1,
			"1 of exactly 1 registration", 0,
		},
		{
			control.Expectation{Operation: &register, AtMost: new(int32(5)), AtLeast: new(int32(1))},
			true, 1,
			"1 of 1 to 5 registrations", 0,
		},
	} {
		got := events.Expect(t.Context(), test.expectation)
		if got.Met != test.met || got.Count != test.count || got.Dropped != nil {
			t.Errorf("%+v: %+v", test, got)
		}
		if diff := cmp.Diff(test.message, got.Message); diff != "" {
			t.Errorf("message (-want +got):\n%s", diff)
		}
		var nearest int64
		if got.Nearest != nil {
			nearest = got.Nearest.Entry.Sequence
			if len(got.Nearest.Missed) == 0 || got.Nearest.Entry.Kind == control.EntryKindExchange &&
				got.Nearest.Entry.Request.Body == nil {
				t.Errorf("%s: nearest %+v", test.message, got.Nearest)
			}
		}
		if nearest != test.nearest {
			t.Errorf("%s: nearest is %d, want %d", test.message, nearest, test.nearest)
		}
	}
}

// TestMissed compares one entry with expectations that it misses, each for another reason.
func TestMissed(t *testing.T) {
	acted := func(events *journal.Journal) { events.Control(epoch, "the clock was paused") }
	left := func(events *journal.Journal) { events.Change("gpu-node-1", epoch, nodeapi.NodeStatusOnline, "") }
	registered := func(events *journal.Journal) {
		events.Exchange(journal.Exchange{Operation: control.OperationRegisterNode, Status: 200})
	}
	for _, test := range []struct {
		write       func(*journal.Journal)
		expectation control.Expectation
		want        string
	}{
		{acted, control.Expectation{Kind: new(control.EntryKindExchange)}, "is of kind control, not exchange"},
		{
			acted,
			control.Expectation{Operation: new(control.OperationHeartbeatNode)},
			"is no operation, not heartbeatNode",
		},
		{
			registered,
			control.Expectation{Operation: new(control.OperationHeartbeatNode)},
			"is registerNode, not heartbeatNode",
		},
		{acted, control.Expectation{Answered: new("2xx")}, "is no request"},
		{registered, control.Expectation{Answered: new("404")}, "answered 200, not 404"},
		{left, control.Expectation{Becomes: new(nodeapi.NodeStatusOnline)}, "became gone, not Online"},
		{acted, control.Expectation{Becomes: new(nodeapi.NodeStatusOnline)}, "is no change of status"},
		{acted, control.Expectation{Node: new("*")}, "has no node id to fit *"},
	} {
		events := journal.New(1)
		test.write(events)
		got := events.Expect(t.Context(), test.expectation)
		if diff := cmp.Diff([]string{test.want}, got.Nearest.Missed); diff != "" {
			t.Errorf("missed (-want +got):\n%s", diff)
		}
	}
}

// TestNearest has two entries miss as many conditions. The older one gets further.
func TestNearest(t *testing.T) {
	events := journal.New(2)
	events.Exchange(beat("gpu-node-2"))
	registration := beat("gpu-node-1")
	registration.Operation = control.OperationRegisterNode
	events.Exchange(registration)
	got := events.Expect(t.Context(), control.Expectation{
		Operation: new(control.OperationHeartbeatNode), Node: new("gpu-node-1"), Answered: new("404"),
	})
	if got.Nearest.Entry.Sequence != 1 {
		t.Errorf("nearest is %s", got.Message)
	}
}

// TestExpectGathers has entries come so close together that they are looked at once.
func TestExpectGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := journal.New(10)
		go func() {
			for range 3 {
				time.Sleep(time.Millisecond)
				events.Exchange(beat("gpu-node-1"))
			}
		}()
		begin := time.Now()
		events.Expect(t.Context(), control.Expectation{AtLeast: new(int32(3)), WithinMs: new(int64(1000))})
		if took := time.Since(begin); took <= 3*time.Millisecond || took > 20*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}

// TestExpectOfLongBody asks for pools of a heartbeat whose body the journal has truncated.
func TestExpectOfLongBody(t *testing.T) {
	pools := []string{`{"pool_id":"pool","engine":"7\"","ready":true,"slots_free":1}`}
	for i := range 256 {
		pools = append(pools, fmt.Sprintf(`{"pool_id":"pool-%d","ready":true,"slots_free":1}`, i))
	}
	e := beat("gpu-node-1")
	e.RequestBody = []byte(`{"pools":[` + strings.Join(pools, ",") + `]}`)
	events := journal.New(1)
	events.Exchange(e)
	if got := events.Expect(t.Context(),
		control.Expectation{Pool: &control.PoolExpectation{PoolID: "pool-50", Ready: new(true)}}); !got.Met {
		t.Errorf("an early pool: %s", got.Message)
	}
	got := events.Expect(t.Context(),
		control.Expectation{Pool: &control.PoolExpectation{PoolID: "pool-200", Ready: new(true)}})
	want := fmt.Sprintf("does not report pool-200 in the first 4096 of %d bytes, which is what was kept",
		len(e.RequestBody))
	if got.Met || cmp.Diff([]string{want}, got.Nearest.Missed) != "" {
		t.Errorf("a late pool: %+v", got.Nearest)
	}
}

func TestExpectOfUnreadableBody(t *testing.T) {
	events := journal.New(10)
	for _, body := range []string{
		"", "{", "null", `{"pools":`,
		`{"pools":[{"pool_id":7},{"pool_id":"pool-0","ready":"yes"}],"timestamp":0}`,
	} {
		e := beat("gpu-node-1")
		e.RequestBody = []byte(body)
		events.Exchange(e)
	}
	got := events.Expect(t.Context(),
		control.Expectation{Pool: &control.PoolExpectation{PoolID: "pool-0", Ready: new(false)}})
	if !got.Met || got.Count != 1 {
		t.Errorf("%+v", got)
	}
}
