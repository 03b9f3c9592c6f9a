package mockserver

import (
	"io"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// controlBodyLimit is how many bytes a body of the control API may have. It has room for
// as many nodes as a fixture may have, if little is said of each.
const controlBodyLimit = 16 << 20

// checkControlRequest holds a request of the control API to its document, and leaves the
// body for the handler. Nothing may be in a request that the document does not name.
func checkControlRequest(x *exchange) error {
	if err := spec.Control().CheckParameters(x.operation, x.request, x.quote); err != nil {
		return newProblem(codeInvalidParameter, "%v", err)
	}
	if x.operation.Bodies == nil {
		return nil
	}
	value, err := readControlBody(x)
	x.setBody(value)
	return err
}

// readControlBody returns the value of a body, or everything that is wrong with it.
func readControlBody(x *exchange) (any, error) {
	schema, unfit := schemaFor(x.request, x.operation.Bodies)
	if unfit != nil {
		return nil, unfit.problem()
	}
	text, err := io.ReadAll(http.MaxBytesReader(x.client, x.request.Body, controlBodyLimit))
	if err != nil {
		return nil, unreadable(err)
	}
	value, err := spec.Decode(text)
	if err != nil {
		return nil, newProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
	}
	if broken := spec.Control().CheckBody(schema, value, len(text)); broken != nil {
		return nil, violationProblem(spec.Control().Violations(broken))
	}
	return value, nil
}
