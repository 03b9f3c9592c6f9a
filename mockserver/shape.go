package mockserver

import (
	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/internal/document"
)

// shape is a schema of a request by its fields, with those of all parts of an allOf
// together, as a tree that mirrors the values that fit it.
type shape struct {
	schema   *openapi3.Schema
	pointer  string            // to the values, with * for every index of an array
	fields   map[string]*shape // of an object
	required []string
	item     *shape // of an array
}

// shapeOf returns the shape of a schema that does not contain itself.
func shapeOf(schema *openapi3.Schema, pointer string) *shape {
	s := &shape{schema: schema, pointer: pointer, fields: map[string]*shape{}}
	s.add(schema)
	return s
}

func (s *shape) add(schema *openapi3.Schema) {
	for _, part := range schema.AllOf {
		s.add(part.Value)
	}
	for name, field := range schema.Properties {
		s.fields[name] = shapeOf(field.Value, s.pointer+"/"+document.Step(name))
	}
	s.required = append(s.required, schema.Required...)
	if schema.Items != nil {
		s.item = shapeOf(schema.Items.Value, s.pointer+"/*")
	}
}

// field returns the shape of a field, and nil if there is no such field.
func (s *shape) field(name string) *shape {
	if s == nil {
		return nil
	}
	return s.fields[name]
}

// items returns the shape of the items of an array, and nil if there is none.
func (s *shape) items() *shape {
	if s == nil {
		return nil
	}
	return s.item
}

// first returns the items of an array, but those that are too many.
func (s *shape) first(items []any) []any {
	if most := s.schema.MaxItems; most != nil && uint64(len(items)) > *most {
		return items[:*most]
	}
	return items
}

// unknown visits the fields in a value that the shape does not have, until visit
// returns false. As every request pays for it, it looks at names and nothing else.
func (s *shape) unknown(value any, visit func(in *shape, name string) bool) bool {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			field, more := s.fields[name], true
			switch {
			case field != nil:
				more = field.unknown(member, visit)
			case len(s.fields) > 0:
				more = visit(s, name)
			}
			if !more {
				return false
			}
		}
	case []any:
		for _, item := range s.first(value) {
			if s.item != nil && !s.item.unknown(item, visit) {
				return false
			}
		}
	}
	return true
}

// shapes returns the shapes of all request bodies.
func shapes(paths *openapi3.Paths) map[*openapi3.Schema]*shape {
	found := map[*openapi3.Schema]*shape{}
	for _, path := range paths.Map() {
		for _, operation := range path.Operations() {
			if operation.RequestBody == nil {
				continue
			}
			for _, form := range operation.RequestBody.Value.Content {
				found[form.Schema.Value] = shapeOf(form.Schema.Value, "")
			}
		}
	}
	return found
}
