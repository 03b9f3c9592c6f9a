package spec

import (
	"cmp"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// Schema is a schema of a request's body by its fields, as a tree that mirrors the values that
// fit it. It has the fields of all parts of an allOf together.
type Schema struct {
	raw      *openapi3.Schema
	title    string             // of an object, in service the name of its type
	pointer  string             // to the values, with * for every index of an array
	fields   map[string]*Schema // of an object
	required []string
	item     *Schema // of an array
}

// schemaOf returns the tree of a schema. Where a schema within comes again, the tree ends, and the
// validator alone looks at the values.
func schemaOf(schema *openapi3.Schema, pointer string, within ...*openapi3.Schema) *Schema {
	s := &Schema{raw: schema, pointer: pointer, fields: map[string]*Schema{}}
	s.add(schema, within)
	return s
}

func (s *Schema) add(schema *openapi3.Schema, within []*openapi3.Schema) {
	if slices.Contains(within, schema) {
		return
	}
	within = append(slices.Clip(within), schema)
	for _, part := range schema.AllOf {
		s.add(part.Value, within)
	}
	s.title = cmp.Or(schema.Title, s.title)
	for name, field := range schema.Properties {
		s.fields[name] = schemaOf(field.Value, s.pointer+"/"+jsonpointer.Token(name), within...)
	}
	s.required = append(s.required, schema.Required...)
	if schema.Items != nil {
		s.item = schemaOf(schema.Items.Value, s.pointer+"/*", within...)
	}
}

// field returns the schema of a field, and nil if there is no such field.
func (s *Schema) field(name string) *Schema {
	if s == nil {
		return nil
	}
	return s.fields[name]
}

// requires reports whether objects must have a field. Without a schema there is none.
func (s *Schema) requires(name string) bool { return s != nil && slices.Contains(s.required, name) }

// items returns the schema of the items of an array, and nil if there is none.
func (s *Schema) items() *Schema {
	if s == nil {
		return nil
	}
	return s.item
}

// first returns the items of an array, but those that are too many.
func (s *Schema) first(items []any) []any {
	if most := s.raw.MaxItems; most != nil && uint64(len(items)) > *most {
		return items[:*most]
	}
	return items
}

// unknown visits the fields in a value that the schema does not have, until visit
// returns false. As every request pays for it, it looks at names and nothing else.
func (s *Schema) unknown(value any, visit func(in *Schema, name string) bool) bool {
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

// inOrder returns the names of the fields that are looked at, in the order of the type.
func (s *Schema) inOrder() []string {
	names := slices.Clone(s.required)
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if s.fields[name].kind() != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// kind returns the type of values, and "" if any will do.
func (s *Schema) kind() string {
	if s == nil {
		return ""
	}
	return kindOf(s.raw)
}

func kindOf(schema *openapi3.Schema) string {
	if len(schema.Type.Slice()) > 0 {
		return schema.Type.Slice()[0]
	}
	for _, part := range schema.AllOf {
		if kind := kindOf(part.Value); kind != "" {
			return kind
		}
	}
	return ""
}
