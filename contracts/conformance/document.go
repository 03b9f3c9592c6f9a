package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/apitext"
	"github.com/llama-orch/node-registration/internal/walkable"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// The operations by the names that the document gives them.
const (
	opRegister   = "registerNode"
	opHeartbeat  = "heartbeatNode"
	opDeregister = "deregisterNode"
	opList       = "listNodes"
)

// document is the OpenAPI document, by operations.
type document struct {
	operations []*operation // sorted by id
	paths      map[string][]string
	exact      bool // whether the scheme of a token counts in one spelling alone
}

// operation is what the document says of one call.
type operation struct {
	id, method, path string
	parameter        string           // the path's, such as {id}; empty when it has none
	media            string           // of the request's body; empty when it has none
	bodies           openapi3.Content // all that it may have, by type or range of types
	request          *openapi3.Schema
	whole            any              // a request with every field, which nobody may change
	kept             func() []variant // the variants of whole that keep the document; nobody may change them either
	examples         []any            // of the request's body
	responses        map[int]*openapi3.Response
}

// compiledIn returns the document that is compiled in. Nobody may change it.
var compiledIn = sync.OnceValues(func() (*document, error) { return readDocument(openapi.Nodes) })

// readDocument reads a document.
func readDocument(text []byte) (*document, error) {
	loader := openapi3.NewLoader()
	api, err := loader.LoadFromData(text)
	if err = apitext.Explain(text, err); err == nil {
		err = walkable.Check(api)
	}
	if err == nil {
		err = api.Validate(loader.Context, openapi3.DisableExamplesValidation())
	}
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	if api.Components != nil {
		takeNull(api.Components.Schemas)
	}
	doc := &document{paths: map[string][]string{}}
	for path, item := range api.Paths.Map() {
		for method := range item.Operations() {
			op, err := newOperation(path, method, item)
			if err != nil {
				return nil, err
			}
			doc.operations = append(doc.operations, op)
			doc.paths[path] = append(doc.paths[path], method)
		}
	}
	slices.SortFunc(doc.operations, func(a, b *operation) int { return strings.Compare(a.id, b.id) })
	if api.Components != nil {
		for _, scheme := range api.Components.SecuritySchemes {
			doc.exact = doc.exact || scheme.Value.Extensions["x-case-sensitive"] == true
		}
	}
	return doc, doc.checkComplete()
}

// checkComplete returns an error for a document that lacks what the checks need.
func (d *document) checkComplete() error {
	for _, id := range []string{opRegister, opHeartbeat, opDeregister, opList} {
		if d.operation(id) == nil {
			return fmt.Errorf("the OpenAPI document has no operation %s", id)
		}
	}
	for _, id := range []string{opRegister, opHeartbeat} {
		if d.operation(id).request == nil {
			return fmt.Errorf("the OpenAPI document has no body for requests of %s", id)
		}
	}
	if d.idField() == "" {
		return fmt.Errorf("the OpenAPI document has no id of the node in requests of %s", opRegister)
	}
	return nil
}

// takeNull has fields whose schema says nothing take null. That is how OpenAPI has it, but the
// validator takes any value but null for them.
func takeNull(schemas openapi3.Schemas) {
	for _, schema := range schemas {
		for _, field := range schema.Value.Properties {
			s := field.Value
			if s.Type == nil && s.Enum == nil && s.Not == nil && len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) == 0 {
				s.Nullable = true
			}
		}
	}
}

func (d *document) operation(id string) *operation {
	for _, op := range d.operations {
		if op.id == id {
			return op
		}
	}
	return nil
}

func newOperation(path, method string, item *openapi3.PathItem) (*operation, error) {
	spec := item.GetOperation(method)
	op := &operation{id: spec.OperationID, method: method, path: path, responses: map[int]*openapi3.Response{}}
	for _, p := range slices.Concat(item.Parameters, spec.Parameters) {
		if p.Value.In == openapi3.ParameterInPath {
			op.parameter = "{" + p.Value.Name + "}"
		}
	}
	for status, response := range spec.Responses.Map() {
		code, err := strconv.Atoi(status)
		if err != nil {
			return nil, fmt.Errorf("%s declares the status %q, which is no number", op.id, status)
		}
		op.responses[code] = response.Value
		if !hasSchemas(response.Value) {
			return nil, fmt.Errorf("%s declares no schema for a body or a header of %s", op.id, status)
		}
	}
	if n := len(op.successes()); n != 1 {
		return nil, fmt.Errorf("%s declares %d statuses of success: must be one", op.id, n)
	}
	if spec.RequestBody == nil {
		return op, nil
	}
	return op, op.takeBody(spec.RequestBody.Value.Content)
}

// takeBody notes what the document says of the bodies of requests.
func (op *operation) takeBody(content openapi3.Content) error {
	var body *openapi3.MediaType
	if op.media, body = preferred(content); body == nil {
		return nil
	}
	op.bodies = content
	if body.Schema == nil {
		return fmt.Errorf("%s declares no schema for its request", op.id)
	}
	op.request, op.examples = body.Schema.Value, examplesOf(body)
	ends := false
	if op.whole, ends = whole(op.request); !ends {
		return fmt.Errorf("%s has no request with an end: a schema requires itself", op.id)
	}
	op.kept = sync.OnceValue(func() []variant { return variants(op.request, op.whole, false) })
	return nil
}

// preferred returns what a document says of bodies in JSON, perhaps by a range of types such as */*. If it says nothing
// of JSON, the first of its types counts.
func preferred(content openapi3.Content) (media string, body *openapi3.MediaType) {
	const json = "application/json"
	if body = content.Get(json); body != nil {
		return json, body
	}
	for _, media := range slices.Sorted(maps.Keys(content)) {
		return media, content[media]
	}
	return "", nil
}

// hasSchemas reports whether all bodies and headers of an answer have a schema.
func hasSchemas(response *openapi3.Response) bool {
	for _, content := range response.Content {
		if content.Schema == nil {
			return false
		}
	}
	for _, header := range response.Headers {
		if header.Value.Schema == nil {
			return false
		}
	}
	return true
}

// examplesOf returns the examples of a body: those of the media type, and that of its
// schema.
func examplesOf(content *openapi3.MediaType) []any {
	var examples []any
	if content.Example != nil {
		examples = append(examples, content.Example)
	}
	for _, name := range slices.Sorted(maps.Keys(content.Examples)) {
		examples = append(examples, content.Examples[name].Value.Value)
	}
	if content.Schema.Value.Example != nil {
		examples = append(examples, content.Schema.Value.Example)
	}
	return examples
}

// target returns the path of a call for a node.
func (op *operation) target(node string) string {
	if op.parameter == "" {
		return op.path
	}
	return strings.Replace(op.path, op.parameter, url.PathEscape(node), 1)
}

// timeout is how long an answer and its body may take.
func (op *operation) timeout() time.Duration {
	if op.id == opRegister {
		return 2 * callTimeout
	}
	return callTimeout
}

// success returns the status that the document declares for a success.
func (op *operation) success() int { return op.successes()[0] }

func (op *operation) successes() []int {
	var found []int
	for status := range op.responses {
		if status/100 == 2 {
			found = append(found, status)
		}
	}
	return found
}

// idField returns the property of the request's body that names the node: the one with the schema
// of ids.
func (d *document) idField() string {
	for name, property := range flat(d.operation(opRegister).request).properties {
		if strings.HasSuffix(property.Ref, "/NodeId") {
			return name
		}
	}
	return ""
}

// idSchema is the schema of the ids of nodes.
func (d *document) idSchema() *openapi3.Schema {
	return flat(flat(d.operation(opRegister).request).properties[d.idField()].Value).schema
}

// discards reports whether an orchestratord reads a field of a registration and throws it away.
func (d *document) discards(field string) bool {
	property := flat(d.operation(opRegister).request).properties[field]
	return property != nil && property.Value.Extensions["x-discarded"] == true
}

// ignores reports whether an orchestratord does not look at a part of a content type, or at another header
// of a body.
func (op *operation) ignores(part string) bool {
	refusal := op.responses[http.StatusUnsupportedMediaType]
	if refusal == nil {
		return false
	}
	parts, _ := refusal.Extensions["x-discarded"].([]any)
	return slices.Contains(parts, any(part))
}

// entry returns the schema of a listed node, an empty one if the document has none.
func (d *document) entry() *openapi3.Schema {
	list := d.operation(opList)
	for _, content := range list.responses[list.success()].Content {
		field := flat(content.Schema.Value).properties[nodesField]
		if field == nil {
			continue
		}
		if items := flat(field.Value).schema.Items; items != nil {
			return items.Value
		}
	}
	return openapi3.NewSchema()
}

// nodesField is the field of a list in which nodes look for the listed ones.
var nodesField = func() string {
	list := reflect.TypeFor[nodeapi.NodeList]()
	for i := range list.NumField() {
		if field := list.Field(i); field.Type == reflect.TypeFor[[]nodeapi.Node]() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			return name
		}
	}
	return ""
}()

// hasStatus reports whether a listed node may have a status.
func (d *document) hasStatus(status nodeapi.NodeStatus) bool {
	field := flat(d.entry()).properties["status"]
	return field == nil || field.Value.VisitJSON(string(status)) == nil
}

// obliges reports whether the document requires a field of each listed node, by the way to it. A zero there may
// stand for none.
func (d *document) obliges(way ...string) bool { return requires(d.entry(), way...) }

// requires reports whether a schema requires a field, by the way to it.
func requires(schema *openapi3.Schema, way ...string) bool {
	if len(way) == 0 {
		return true
	}
	s := flat(schema)
	property := s.properties[way[0]]
	return property != nil && slices.Contains(s.required, way[0]) && requires(property.Value, way[1:]...)
}

// flatSchema is a schema with its allOf folded in.
type flatSchema struct {
	schema     *openapi3.Schema // of the parts, the one with a type
	properties openapi3.Schemas
	required   []string
}

func flat(schema *openapi3.Schema) flatSchema {
	s := flatSchema{schema: schema, properties: openapi3.Schemas{}, required: slices.Clone(schema.Required)}
	maps.Copy(s.properties, schema.Properties)
	for _, part := range schema.AllOf {
		inner := flat(part.Value)
		maps.Copy(s.properties, inner.properties)
		s.required = append(s.required, inner.required...)
		if s.schema.Type == nil || len(s.schema.Properties) == 0 && len(inner.schema.Properties) > 0 {
			s.schema = inner.schema
		}
	}
	return s
}

func (s flatSchema) is(kind string) bool { return s.schema.Type.Is(kind) }
