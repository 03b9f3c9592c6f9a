// Command wire generates the JSON code of an OpenAPI document: it decodes the bodies of
// requests, and encodes answers.
//
//	go tool wire -o ../mockserver/internal/wire/wire.gen.go nodes.yaml
//
// It fails if the document has a rule that Validate does not check.
package main

import (
	_ "embed"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/program"
	"github.com/llama-orch/node-registration/openapi/codegen/internal/schema"
)

//go:embed wire.tmpl
var template string

func main() { program.Main("wire", generate) }

func generate(doc *openapi3.T) ([]byte, error) {
	bodies, err := schema.Read(doc)
	if err != nil {
		return nil, err
	}
	bodyOf := map[string]string{} // operation to type
	for operation, body := range bodies.Requests {
		bodyOf[operation] = schema.TypeName(body)
	}
	return program.Execute(template, map[string]any{
		"Requests": bodyOf,
		"Decoded":  objects(schema.Objects(slices.Collect(maps.Values(bodies.Requests)))),
		"Encoded":  objects(schema.Objects(bodies.Answers)),
	})
}

// object is an object with what a template cannot see for itself.
type object struct{ schema.Object }

func objects(from []schema.Object) []object {
	var all []object
	for _, o := range from {
		all = append(all, object{o})
	}
	return all
}

// Required returns the set of the fields that must be there, a bit for each.
func (o object) Required() (set uint64) {
	for i, f := range o.Fields {
		if f.Required {
			set |= 1 << i
		}
	}
	return set
}

// Settled reports whether a field comes after one that is always there.
func (o object) Settled(field int) bool {
	return slices.ContainsFunc(o.Fields[:field], func(f schema.Field) bool { return !f.Pointer })
}

// List returns the field that lists objects, if all other fields are values that are always
// there. Else it returns nil.
func (o object) List() *schema.Field {
	var list *schema.Field
	for i, f := range o.Fields {
		if f.Pointer || f.Kind == schema.Array && (list != nil || f.Item.Kind != schema.Struct) {
			return nil
		}
		if f.Kind == schema.Array {
			list = &o.Fields[i]
		}
	}
	return list
}
