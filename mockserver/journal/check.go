package journal

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/document"
	"github.com/llama-orch/node-registration/mockserver/internal/glob"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// CheckExpectation returns everything that is wrong with an expectation. It may break its
// schema in the document of the control API, except for how long it may wait. Or it contradicts
// itself: then it is never met, or always.
func CheckExpectation(e control.Expectation) []nodeapi.Violation {
	wrong := schema().violations(e)
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

// formal is what the document of the control API says of expectations.
type formal struct {
	expectation    *openapi3.Schema
	mostViolations int
	longestDetail  int // of a violation, in characters
}

// schema reads the document once. The document is compiled in: that it lacks something
// shows with the first test.
var schema = sync.OnceValue(func() formal {
	doc, err := document.Control()
	if err != nil {
		panic(fmt.Sprintf("journal: %v", err))
	}
	expectation := doc.Components.Schemas["Expectation"].Value
	// How long a call of the API may wait does not bind a test, for which an hour may be
	// no time.
	expectation.Properties["within_ms"].Value.Max = new(float64(math.MaxInt64 / time.Millisecond))
	violations := doc.Components.Schemas["Problem"].Value.Properties["errors"].Value
	return formal{
		expectation:    expectation,
		mostViolations: int(*violations.MaxItems),
		longestDetail:  int(*violations.Items.Value.Properties["detail"].Value.MaxLength),
	}
})

// violations returns how an expectation breaks its schema.
func (f formal) violations(e control.Expectation) []nodeapi.Violation {
	var value any
	text, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err == nil {
		err = f.expectation.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsRequest(), openapi3.DisableSchemaErrorDetails())
	}
	if err == nil {
		return nil
	}
	return document.Violations(err, f.mostViolations, f.longestDetail)
}
