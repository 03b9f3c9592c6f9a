package mockserver

import (
	"github.com/llama-orch/node-registration/mockserver/internal/document"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// violations lists where a value breaks the contract, given what check has found. It
// stops when there are as many as a problem has room for.
func (c *contract) violations(err error) []nodeapi.Violation {
	return document.Violations(err, c.maxViolations, c.maxViolationDetail)
}
