package journal

import (
	"fmt"
	"math"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/glob"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// CheckExpectation returns everything that is wrong with an expectation. It may break its
// schema in the document of the control API, except for how long it may wait. Or it contradicts
// itself: then it is never met, or always.
func CheckExpectation(e control.Expectation) []nodeapi.Violation {
	wrong := inSchema(e)
	complain := func(pointer, format string, args ...any) {
		wrong = append(wrong, nodeapi.Violation{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	if err := glob.Check(optional.Or(e.Node, "")); err != nil {
		complain("/node", "%v", err)
	}
	if e.AtLeast != nil && e.AtMost != nil && *e.AtLeast > *e.AtMost {
		complain("/at_most", "must be %d or more, as at least so many are expected", *e.AtLeast)
	}
	if p := e.Pool; p != nil && p.MinSlotsFree != nil && p.MaxSlotsFree != nil && *p.MinSlotsFree > *p.MaxSlotsFree {
		complain("/pool/max_slots_free", "must be %d or more, as at least so many are expected", *p.MinSlotsFree)
	}
	if operation := optional.Or(e.Operation, ""); operation != "" && operation != control.OperationHeartbeatNode &&
		e.Pool != nil {
		complain("/operation", "must be %s, as only that reports pools", control.OperationHeartbeatNode)
	}
	if kind := optional.Or(e.Kind, ""); kind != "" && kind != control.EntryKindExchange &&
		(e.Operation != nil || e.Answered != nil || e.Pool != nil) {
		complain("/kind", "must be %s, as only that has an operation, an answer and pools", control.EntryKindExchange)
	}
	if kind := optional.Or(e.Kind, ""); kind != "" && kind != control.EntryKindChange && e.Becomes != nil {
		complain("/kind", "must be %s, as only with that a node becomes something", control.EntryKindChange)
	}
	if e.Becomes != nil && (e.Operation != nil || e.Answered != nil || e.Pool != nil) {
		complain("/becomes", "must not be stated together with what only a request has")
	}
	return wrong
}

// inSchema returns how an expectation breaks its schema, but for the limit of a wait: an hour may
// be no time for a test.
func inSchema(e control.Expectation) []nodeapi.Violation {
	const longest = int64(math.MaxInt64 / time.Millisecond)
	if within := optional.Or(e.WithinMs, 0); 0 < within && within <= longest {
		e.WithinMs = nil
	}
	return spec.Control().Check("Expectation", e)
}
