package mockserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/openapi"
)

// contract is the OpenAPI document, and those of its parts that are needed by name.
type contract struct {
	paths         *openapi3.Paths
	correlationID *openapi3.Parameter
	nodeID        *openapi3.Schema
	heartbeat     *openapi3.Schema            // the answer to a heartbeat
	problem       *openapi3.Response          // an answer with a problem in it, whichever
	shapes        map[*openapi3.Schema]*shape // of the request bodies
	formats       openapi3.SchemaValidationOption

	maxDetail          int // characters of a problem's detail
	maxViolations      int // of a problem
	maxViolationDetail int // characters of a violation's detail
}

// loadContract reads the document. It takes for granted that the parts are there: the
// document is compiled in, and no test would pass without them.
func loadContract() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	parts := doc.Components
	problem, violation := parts.Schemas["Problem"].Value, parts.Schemas["Violation"].Value
	return &contract{
		paths:         doc.Paths,
		correlationID: parts.Parameters["CorrelationId"].Value,
		nodeID:        parts.Schemas["NodeId"].Value,
		heartbeat:     parts.Schemas["HeartbeatResponse"].Value,
		problem:       parts.Responses["InternalError"].Value,
		shapes:        shapes(doc.Paths),
		formats: openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
			"date-time":     openapi3.NewCallbackValidator(checkTime),
			"uri":           openapi3.NewCallbackValidator(checkURI),
			"uri-reference": openapi3.NewCallbackValidator(checkURIReference),
		}),
		maxDetail:          int(*problem.Properties["detail"].Value.MaxLength),
		maxViolations:      int(*problem.Properties["errors"].Value.MaxItems),
		maxViolationDetail: int(*violation.Properties["detail"].Value.MaxLength),
	}, nil
}

// operation returns what the document says of a request that has been routed, or nil
// when the request fits no operation. The router's patterns are the document's paths.
func (c *contract) operation(r *http.Request) *openapi3.Operation {
	path := c.paths.Value(chi.RouteContext(r.Context()).RoutePattern())
	if path == nil {
		return nil
	}
	return path.GetOperation(r.Method)
}

// check holds a decoded JSON value to a schema. The error is the first thing that is
// wrong with the value, or with the option MultiErrors a tree of all of them.
func (c *contract) check(schema *openapi3.Schema, value any, options ...openapi3.SchemaValidationOption) error {
	return schema.VisitJSON(value, append(options,
		openapi3.EnableFormatValidation(), c.formats, openapi3.DisableSchemaErrorDetails())...)
}

// checkInterval returns what is wrong with a heartbeat interval that nodes would be told.
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

// checkTime takes what the generated types can hold: the times of RFC 3339 without
// leap seconds.
func checkTime(text string) error {
	return new(time.Time).UnmarshalText([]byte(text))
}

func checkURI(text string) error {
	uri, err := url.Parse(text)
	if err == nil && !uri.IsAbs() {
		err = errors.New("there is no scheme")
	}
	return err
}

func checkURIReference(text string) error {
	_, err := url.Parse(text)
	return err
}
