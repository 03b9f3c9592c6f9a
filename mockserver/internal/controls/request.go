package controls

import (
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// bodyLimit is how many bytes a body may have. It has room for as many nodes as a fixture may
// have, if little is said of each.
const bodyLimit = 16 << 20

// checkRequest checks a request against the document, and leaves its body for the handler.
// Nothing may be in a request that the document does not name.
func checkRequest(x *exchange.Exchange) error {
	if err := spec.Control().CheckParameters(x.Operation, x.Request, x.Quote); err != nil {
		return exchange.NewProblem(exchange.CodeInvalidParameter, "%v", err)
	}
	if x.Operation.Bodies == nil {
		return nil
	}
	value, err := readBody(x)
	if err != nil {
		return err
	}
	x.SetBody(value, true)
	return nil
}

// readBody returns the value of a body, or everything that is wrong with it.
func readBody(x *exchange.Exchange) (any, error) {
	schema, unfit := x.BodySchema()
	if unfit != nil {
		return nil, unfit.Problem()
	}
	if err := x.ReadBody(http.MaxBytesReader(x.Client, x.Request.Body, bodyLimit)); err != nil {
		return nil, exchange.Unreadable(err)
	}
	value, err := spec.Decode(x.RequestBody)
	if err != nil {
		return nil, exchange.NewProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
	}
	if broken := spec.Control().CheckBody(schema, value, len(x.RequestBody)); broken != nil {
		return nil, exchange.ViolationProblem(spec.Control().Violations(broken, x.Quote)...)
	}
	return value, nil
}
