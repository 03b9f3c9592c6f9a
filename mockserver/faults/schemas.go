package faults

import (
	"sync"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// stated is what the document of the control API says of faults.
type stated struct {
	most int // faults

	// What a definition that leaves it out has.
	enabled bool
	seed    int64
	summary string
}

// schemas looks it up once. That the document lacks something shows with the first test.
var schemas = sync.OnceValue(func() stated {
	doc := spec.Control()
	return stated{
		most:    int(*doc.Schema("FaultList").Properties["faults"].Value.MaxItems),
		enabled: doc.Schema("FaultEnabled").Default.(bool),
		seed:    int64(doc.Schema("FaultSeed").Default.(float64)),
		summary: doc.Schema("FaultSummary").Default.(string),
	}
})
