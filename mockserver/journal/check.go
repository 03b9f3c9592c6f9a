package journal

import (
	"fmt"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/glob"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// CheckExpectation returns everything that is wrong with an expectation. It may break its
// schema in the document of the control API, except for how long it may wait. Or it contradicts
// itself: then it is never met, or always.
func CheckExpectation(e control.Expectation) []nodeapi.Violation {
	wrong := spec.Control().Check(schema(), e)
	complain := func(pointer, format string, args ...any) {
		wrong = append(wrong, nodeapi.Violation{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	if err := glob.Check(value(e.Node)); err != nil {
		complain("/node", "%v", err)
	}
	if e.AtLeast != nil && e.AtMost != nil && *e.AtLeast > *e.AtMost {
		complain("/at_most", "must be %d or more, as at least so many are expected", *e.AtLeast)
	}
	if p := value(e.Pool); p.MinSlotsFree != nil && p.MaxSlotsFree != nil && *p.MinSlotsFree > *p.MaxSlotsFree {
		complain("/pool/max_slots_free", "must be %d or more, as at least so many are expected", *p.MinSlotsFree)
	}
	if operation := value(e.Operation); operation != "" && operation != control.OperationHeartbeatNode && e.Pool != nil {
		complain("/operation", "must be %s, as only that reports pools", control.OperationHeartbeatNode)
	}
	if kind := value(e.Kind); kind != "" && kind != control.EntryKindExchange && (e.Operation != nil || e.Answered != nil || e.Pool != nil) {
		complain("/kind", "must be %s, as only that has an operation, an answer and pools", control.EntryKindExchange)
	}
	if kind := value(e.Kind); kind != "" && kind != control.EntryKindChange && e.Becomes != nil {
		complain("/kind", "must be %s, as only with that a node becomes something", control.EntryKindChange)
	}
	if e.Becomes != nil && (e.Operation != nil || e.Answered != nil || e.Pool != nil) {
		complain("/becomes", "must not be stated together with what only a request has")
	}
	return wrong
}

// schema is the schema of expectations. How long a call of the API may wait does not bind a
// test, for which an hour may be no time.
var schema = sync.OnceValue(func() *openapi3.Schema {
	schema := *spec.Control().Schema("Expectation")
	wait := *schema.Properties["within_ms"].Value
	wait.Max = new(float64(math.MaxInt64 / time.Millisecond))
	schema.Properties = maps.Clone(schema.Properties)
	schema.Properties["within_ms"] = wait.NewRef()
	return &schema
})
