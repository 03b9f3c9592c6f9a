package faults

import (
	"fmt"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/internal/document"
)

// formal is what the document of the control API says of faults.
type formal struct {
	file       *openapi3.Schema
	definition *openapi3.Schema
	name       *openapi3.Schema

	most           int // faults
	mostViolations int
	longestDetail  int // of a violation, in characters

	// What a definition that leaves it out has.
	enabled bool
	seed    int64
	summary string
}

// schemas reads the document once. The document is compiled in: that it lacks something
// shows with the first test.
var schemas = sync.OnceValue(func() formal {
	doc, err := document.Control()
	if err != nil {
		panic(fmt.Sprintf("faults: %v", err))
	}
	schema := func(name string) *openapi3.Schema { return doc.Components.Schemas[name].Value }
	violations := schema("Problem").Properties["errors"].Value
	return formal{
		file:           schema("FaultFile"),
		definition:     schema("FaultDefinition"),
		name:           schema("FaultName"),
		most:           int(*schema("FaultList").Properties["faults"].Value.MaxItems),
		mostViolations: int(*violations.MaxItems),
		longestDetail:  int(*violations.Items.Value.Properties["detail"].Value.MaxLength),
		enabled:        schema("FaultEnabled").Default.(bool),
		seed:           int64(schema("FaultSeed").Default.(float64)),
		summary:        schema("FaultSummary").Default.(string),
	}
})
