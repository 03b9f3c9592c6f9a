// Command checks generates a Validate method for every object in the requests and answers of
// an OpenAPI document. Both sides validate values with it, by the document's own limits and
// without an OpenAPI library. For every operation it generates the method, the path, and the
// statuses that the document declares.
//
//	go tool checks -o ../pkg/nodeapi/checks.gen.go nodes.yaml
//
// It fails if the document has a rule that it cannot generate a check for.
package main

import (
	_ "embed"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/program"
	"github.com/llama-orch/node-registration/openapi/codegen/internal/schema"
)

//go:embed checks.tmpl
var template string

func main() { program.Main("checks", generate) }

// generate returns the checks of the bodies of requests, of answers to requests that succeed,
// and of parameters.
func generate(doc *openapi3.T) ([]byte, error) {
	bodies, err := schema.Read(doc)
	if err != nil {
		return nil, err
	}
	objects := schema.Objects(bodies.All())
	parameters, err := schema.Parameters(doc)
	if err != nil {
		return nil, err
	}
	return program.Execute(template, map[string]any{
		"Rules":      rules(objects, parameters),
		"Objects":    objects,
		"Parameters": parameters,
		"Operations": operations(doc),
	})
}

// rules returns what the document says of the texts in objects and parameters, by name.
func rules(objects []schema.Object, parameters []schema.Field) []schema.Value {
	found := map[string]schema.Value{}
	add := func(v schema.Value) {
		if v.Item != nil {
			v = *v.Item
		}
		if v.Kind == schema.Text {
			found[v.Rule] = v
		}
	}
	for _, object := range objects {
		for _, field := range object.Fields {
			add(field.Value)
		}
	}
	for _, parameter := range parameters {
		add(parameter.Value)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b schema.Value) int { return strings.Compare(a.Rule, b.Rule) })
}

// operation is what the document says of an operation.
type operation struct {
	ID, Name, Method, Path string
	Statuses               []string
}

// operations returns the operations in the order of their paths.
func operations(doc *openapi3.T) []operation {
	var found []operation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		declared := doc.Paths.Value(path).Operations()
		for _, method := range slices.Sorted(maps.Keys(declared)) {
			id := declared[method].OperationID
			found = append(found, operation{
				ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Method: method, Path: path,
				Statuses: slices.Sorted(maps.Keys(declared[method].Responses.Map())),
			})
		}
	}
	return found
}
