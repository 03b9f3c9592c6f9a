package journal_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func TestCheckExpectation(t *testing.T) {
	change, exchange, heartbeat := control.EntryKindChange, control.EntryKindExchange, control.OperationHeartbeatNode
	pool := &control.PoolExpectation{PoolID: "pool-0", MinSlotsFree: new(int32(1)), MaxSlotsFree: new(int32(1))}
	for _, test := range []struct {
		expectation control.Expectation
		wrong       []string // pointers
	}{
		{control.Expectation{}, nil},
		{
			control.Expectation{
				Kind: &exchange, Operation: &heartbeat, Node: new("gpu-*"), Pool: pool,
				AtLeast: new(int32(1)), AtMost: new(int32(1)),
			}, nil,
		},
		{control.Expectation{Kind: &change, Becomes: new(nodeapi.NodeStatusOnline)}, nil},
		{control.Expectation{Node: new("[")}, []string{"/node"}},
		{control.Expectation{AtLeast: new(int32(2)), AtMost: new(int32(1))}, []string{"/at_most"}},
		{
			control.Expectation{Operation: new(control.Operation("register")), AtMost: new(int32(0))},
			[]string{"/operation"},
		},
		{control.Expectation{Answered: new("5XX"), AtMost: new(int32(0))}, []string{"/answered"}},
		{control.Expectation{AtLeast: new(int32(-1))}, []string{"/at_least"}},
		{control.Expectation{Node: new("gpu node"), WithinMs: new(int64(-1))}, []string{"/node", "/within_ms"}},
		{control.Expectation{WithinMs: new(time.Hour.Milliseconds())}, nil},
		{
			control.Expectation{Pool: &control.PoolExpectation{
				PoolID: "pool-0", MinSlotsFree: new(int32(2)),
				MaxSlotsFree: new(int32(1)),
			}},
			[]string{"/pool/max_slots_free"},
		},
		{control.Expectation{Pool: pool, Operation: new(control.OperationListNodes)}, []string{"/operation"}},
		{control.Expectation{Pool: &control.PoolExpectation{PoolID: "pool-0", MinSlotsFree: new(int32(1))}}, nil},
		{control.Expectation{Pool: &control.PoolExpectation{PoolID: "pool-0", MaxSlotsFree: new(int32(0))}}, nil},
		{control.Expectation{WithinMs: new(int64(math.MaxInt64))}, []string{"/within_ms"}},
		{control.Expectation{Kind: &change, Answered: new("4xx")}, []string{"/kind"}},
		{control.Expectation{Kind: &change, Operation: &heartbeat}, []string{"/kind"}},
		{control.Expectation{Kind: &change, Pool: pool}, []string{"/kind"}},
		{control.Expectation{Becomes: new(nodeapi.NodeStatusOnline), Pool: pool}, []string{"/becomes"}},
		{control.Expectation{Becomes: new(nodeapi.NodeStatusOnline), Answered: new("4xx")}, []string{"/becomes"}},
		{control.Expectation{Kind: &exchange, Becomes: new(nodeapi.NodeStatusOnline)}, []string{"/kind"}},
		{
			control.Expectation{Kind: new(control.EntryKindControl), Becomes: new(nodeapi.NodeStatusOnline)},
			[]string{"/kind"},
		},
		{
			control.Expectation{Operation: &heartbeat, Becomes: new(nodeapi.NodeStatusOnline), Node: new("[")},
			[]string{"/node", "/becomes"},
		},
	} {
		var wrong []string
		for _, violation := range journal.CheckExpectation(test.expectation) {
			wrong = append(wrong, violation.Pointer)
		}
		if diff := cmp.Diff(test.wrong, wrong); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.expectation, diff)
		}
	}
}
