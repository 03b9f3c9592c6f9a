// Package spec checks values against the OpenAPI documents of the node API, of what is in service and
// of the control API. It says what a document states of an operation, and in words for people where a
// value breaks a schema. It says what can still be used of such a body. It also
// says where the orchestratord in service stops reading one, in the words of its JSON library.
package spec

import (
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/walkable"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Document is an OpenAPI document, and those of its parts that are needed by name. It is not
// changed once it has been returned.
type Document struct {
	Operations []*Operation

	MaxDetail          int // characters of a problem's detail
	MaxViolations      int // of a problem
	MaxPointer         int // characters of a violation's pointer
	maxViolationDetail int // characters of a violation's detail

	schemas openapi3.Schemas
	problem *answer // an answer with a problem in it, whichever; nil in service
	formats openapi3.SchemaValidationOption

	// These are of the node API only.
	CorrelationHeader string // the name of the header, as http.Header spells it
	MaxNodes          int    // of a list
	correlationID     *openapi3.Schema
	nodeID            *openapi3.Schema
	nodeParameter     string // the name of the one in paths
	nodeField         string // the name of the one in bodies

	// These are of the control API only.
	LastTime     time.Time // that the document can state
	MaxDeparture int       // characters of each text of a departure
	MaxFaults    int
}

// Nodes returns the document of the node API. It is read once.
var Nodes = sync.OnceValue(func() *Document { return nodesDocument(openapi.Nodes) })

func nodesDocument(text []byte) *Document {
	doc := load(openapi3.NewLoader(), text)
	correlationID, nodeID := doc.Components.Parameters["CorrelationId"].Value, doc.Components.Parameters["NodeId"].Value
	d := newDocument(doc, correlationID.Schema.Value)
	d.CorrelationHeader = http.CanonicalHeaderKey(correlationID.Name)
	d.MaxNodes = int(*d.Schema("NodeList").Properties["nodes"].Value.MaxItems)
	d.correlationID = correlationID.Schema.Value
	d.nodeID, d.nodeParameter = d.Schema("NodeId"), nodeID.Name
	d.nodeField = fieldOf(d.Operations, d.nodeID)
	return d
}

// Control returns the document of the control API. It is read once, when it is first needed,
// which most tests never do.
var Control = sync.OnceValue(func() *Document {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	// The one document that another refers to.
	loader.ReadFromURIFunc = func(*openapi3.Loader, *url.URL) ([]byte, error) { return openapi.Nodes, nil }
	d := newDocument(load(loader, openapi.MockControl), nil)
	d.MaxDeparture = int(*d.Schema("Departure").Properties["got"].Value.MaxLength)
	d.MaxFaults = int(*d.Schema("FaultList").Properties["faults"].Value.MaxItems)
	d.LastTime = time.UnixMilli(int64(*d.Schema("Milliseconds").Max))
	return d
})

// load reads a document. It panics if that cannot be read: one that is compiled in would let no
// test pass. Load, for a document from outside, makes an error of the panic.
func load(loader *openapi3.Loader, text []byte) *openapi3.T {
	doc, err := loader.LoadFromDataWithPath(text, &url.URL{})
	if err != nil {
		panic(err)
	}
	if err := walkable.Check(doc); err != nil {
		panic(err)
	}
	_ = walkable.Places(doc, func(_ string, schema **openapi3.SchemaRef) error {
		if *schema == nil { // anything will do
			*schema = openapi3.NewSchemaRef("", openapi3.NewSchema())
		}
		return nil
	})
	return doc
}

// newDocument looks up what both documents have.
func newDocument(doc *openapi3.T, correlationID *openapi3.Schema) *Document {
	problem := doc.Components.Schemas["Problem"].Value
	violations := problem.Properties["errors"].Value
	return &Document{
		Operations:         operationsOf(doc.Paths, correlationID),
		MaxDetail:          int(*problem.Properties["detail"].Value.MaxLength),
		MaxViolations:      int(*violations.MaxItems),
		MaxPointer:         int(*violations.Items.Value.Properties["pointer"].Value.MaxLength),
		maxViolationDetail: int(*violations.Items.Value.Properties["detail"].Value.MaxLength),
		schemas:            doc.Components.Schemas,
		problem:            answerOf(doc.Components.Responses["InternalError"].Value),
		formats: openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
			"date-time":     openapi3.NewCallbackValidator(wire.CheckTime),
			"uri":           openapi3.NewCallbackValidator(wire.CheckURI),
			"uri-reference": openapi3.NewCallbackValidator(wire.CheckURIReference),
		}),
	}
}

// Schema returns a schema of the document by its name.
func (d *Document) Schema(name string) *openapi3.Schema { return d.schemas[name].Value }

// Default returns the value of a schema, by its name, where none is given.
func (d *Document) Default(schema string) any { return d.Schema(schema).Default }

// Check lists where a Go value, as JSON has it, breaks a schema, by its name.
func (d *Document) Check(schema string, value any) []nodeapi.Violation {
	plain, err := Plain(value)
	if err == nil {
		err = d.check(d.Schema(schema), plain, openapi3.MultiErrors(), openapi3.VisitAsRequest())
	}
	if err != nil {
		return d.Violations(err, asItIs)
	}
	return nil
}

// Plain returns a Go value as JSON has it: maps, slices and scalars. There is no JSON for some
// values, such as NaN.
func Plain(value any) (plain any, err error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &plain)
	return plain, err
}

// CheckBody returns how the decoded body of a request breaks its schema: an error for Violations
// and Departures. Of a body of more than 64 KiB it reports the first violation only. The
// validator's account of a hostile one takes a thousand times its memory.
func (d *Document) CheckBody(schema *Schema, value any, bytes int) error {
	return d.checkBody(schema, value, bytes, openapi3.VisitAsRequest())
}

// checkBody is CheckBody for requests or answers.
func (d *Document) checkBody(schema *Schema, value any, bytes int, as openapi3.SchemaValidationOption) error {
	if bytes > accountable {
		return d.check(schema.raw, value, as)
	}
	return d.check(schema.raw, value, as, openapi3.MultiErrors())
}

// accountable is the size in bytes up to which all violations in a body are reported.
const accountable = 64 << 10

// check returns the first thing that is wrong with a decoded JSON value, or with the option
// MultiErrors a tree of all of them.
func (d *Document) check(schema *openapi3.Schema, value any, options ...openapi3.SchemaValidationOption) error {
	return schema.VisitJSON(value, append(options,
		openapi3.EnableFormatValidation(), d.formats, openapi3.DisableSchemaErrorDetails())...)
}
