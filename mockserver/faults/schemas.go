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
		most:    doc.MaxFaults,
		enabled: doc.Default("FaultEnabled").(bool),
		seed:    int64(doc.Default("FaultSeed").(float64)),
		summary: doc.Default("FaultSummary").(string),
	}
})
