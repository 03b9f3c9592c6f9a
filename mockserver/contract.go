package mockserver

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/internal/document"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
)

// contract is an OpenAPI document, and those of its parts that are needed by name.
type contract struct {
	paths      *openapi3.Paths
	problem    *openapi3.Response          // an answer with a problem in it, whichever
	shapes     map[*openapi3.Schema]*shape // of the request bodies
	operations []*operation
	formats    openapi3.SchemaValidationOption

	maxDetail          int // characters of a problem's detail
	maxViolations      int // of a problem
	maxViolationDetail int // characters of a violation's detail

	// These are of the node API only.
	correlationID *openapi3.Parameter
	nodeParameter *openapi3.Parameter
	nodeID        *openapi3.Schema
	heartbeat     *openapi3.Schema // the answer to a heartbeat
	maxNodes      int              // of a list
}

// loadContract reads the document of the node API. It takes for granted that the parts
// are there: the document is compiled in, and no test would pass without them.
func loadContract() (*contract, error) {
	doc, err := document.Nodes()
	if err != nil {
		return nil, err
	}
	c := newContract(doc)
	c.correlationID = doc.Components.Parameters["CorrelationId"].Value
	c.operations = operationsOf(doc.Paths, c.correlationID.Schema)
	c.nodeParameter = doc.Components.Parameters["NodeId"].Value
	c.nodeID = doc.Components.Schemas["NodeId"].Value
	c.heartbeat = doc.Components.Schemas["HeartbeatResponse"].Value
	c.maxNodes = int(*doc.Components.Schemas["NodeList"].Value.Properties["nodes"].Value.MaxItems)
	return c, nil
}

// loadControlContract reads the document of the control API.
func loadControlContract() (*contract, error) {
	doc, err := document.Control()
	if err != nil {
		return nil, err
	}
	c := newContract(doc)
	c.operations = operationsOf(doc.Paths, nil)
	return c, nil
}

// newContract looks up what both documents have.
func newContract(doc *openapi3.T) *contract {
	problem := doc.Components.Schemas["Problem"].Value
	violations := problem.Properties["errors"].Value
	return &contract{
		paths:   doc.Paths,
		problem: doc.Components.Responses["InternalError"].Value,
		shapes:  shapes(doc.Paths),
		formats: openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
			"date-time":     openapi3.NewCallbackValidator(wire.CheckTime),
			"uri":           openapi3.NewCallbackValidator(wire.CheckURI),
			"uri-reference": openapi3.NewCallbackValidator(wire.CheckURIReference),
		}),
		maxDetail:          int(*problem.Properties["detail"].Value.MaxLength),
		maxViolations:      int(*violations.MaxItems),
		maxViolationDetail: int(*violations.Items.Value.Properties["detail"].Value.MaxLength),
	}
}

// check holds a decoded JSON value to a schema. The error is the first thing that is
// wrong with the value, or with the option MultiErrors a tree of all of them.
func (c *contract) check(schema *openapi3.Schema, value any, options ...openapi3.SchemaValidationOption) error {
	return schema.VisitJSON(value, append(options,
		openapi3.EnableFormatValidation(), c.formats, openapi3.DisableSchemaErrorDetails())...)
}

// checkInterval returns what is wrong with a heartbeat interval to ask nodes for.
func (c *contract) checkInterval(interval time.Duration) error {
	text, err := json.Marshal(heartbeatAnswer(interval))
	if err != nil {
		return err
	}
	value, err := decodeJSON(text)
	if err != nil {
		return err
	}
	if err := c.check(c.heartbeat, value); err != nil {
		return fmt.Errorf("in milliseconds it %s", c.violations(err)[0].Detail)
	}
	return nil
}
