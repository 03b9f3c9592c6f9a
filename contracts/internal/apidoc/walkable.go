package apidoc

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// Walkable returns an error for a document that nothing can walk through: one whose tags or content
// types are null, or with a schema that contains itself through allOf, anyOf, oneOf, not or a condition.
// A schema may refer to itself in its fields or items, since that describes a tree.
func Walkable(document *openapi3.T) error {
	if slices.Contains(document.Tags, nil) {
		return errors.New("a tag is null: it must be an object")
	}
	s := circleSearch{done: map[*openapi3.Schema]bool{}}
	if document.Components != nil {
		for _, name := range slices.Sorted(maps.Keys(document.Components.Schemas)) {
			s.visit(document.Components.Schemas[name], "#/components/schemas/"+name)
		}
	}
	if document.Paths != nil && s.err == nil {
		for name, path := range document.Paths.Map() {
			for method, operation := range path.Operations() {
				if s.operation(path, operation); s.err != nil {
					return fmt.Errorf("%s %s: %w", method, name, s.err)
				}
			}
		}
	}
	return s.err
}

type circleSearch struct {
	within []*openapi3.Schema        // the parts that the one at hand is a part of
	done   map[*openapi3.Schema]bool // those that were visited
	err    error
}

func (s *circleSearch) operation(path *openapi3.PathItem, operation *openapi3.Operation) {
	for _, parameter := range slices.Concat(path.Parameters, operation.Parameters) {
		if parameter.Value != nil {
			s.visit(parameter.Value.Schema, parameter.Value.Name)
			s.content(parameter.Value.Content)
		}
	}
	if body := operation.RequestBody; body != nil && body.Value != nil {
		s.content(body.Value.Content)
	}
	if operation.Responses == nil {
		return
	}
	for _, response := range operation.Responses.Map() {
		if response.Value == nil {
			continue
		}
		s.content(response.Value.Content)
		for name, header := range response.Value.Headers {
			if header.Value != nil {
				s.visit(header.Value.Schema, name)
			}
		}
	}
}

func (s *circleSearch) content(content openapi3.Content) {
	for name, media := range content {
		if media == nil {
			s.err = fmt.Errorf("content type %s is null: it must be an object", name)
			return
		}
		s.visit(media.Schema, name)
	}
}

// visit looks for circles that begin at a schema, and at those of its fields and items.
func (s *circleSearch) visit(ref *openapi3.SchemaRef, name string) {
	if ref == nil || ref.Value == nil || s.err != nil {
		return
	}
	schema := ref.Value
	if ref.Ref != "" {
		name = ref.Ref
	}
	if slices.Contains(s.within, schema) {
		s.err = fmt.Errorf("schema %s is a part of itself", name)
		return
	}
	if s.done[schema] {
		return
	}
	s.done[schema] = true
	s.within = append(s.within, schema)
	conditions := openapi3.SchemaRefs{schema.Not, schema.If, schema.Then, schema.Else}
	for _, part := range slices.Concat(schema.AllOf, schema.AnyOf, schema.OneOf, conditions) {
		s.visit(part, name)
	}
	for _, part := range schema.DependentSchemas {
		s.visit(part, name)
	}
	outside := s.within[:len(s.within)-1]
	s.within = nil
	for field, inner := range schema.Properties {
		s.visit(inner, name+"/properties/"+field)
	}
	for pattern, inner := range schema.PatternProperties {
		s.visit(inner, name+"/patternProperties/"+pattern)
	}
	for _, inner := range append(slices.Clone(schema.PrefixItems), schema.Items, schema.Contains) {
		s.visit(inner, name+"/items")
	}
	s.visit(schema.AdditionalProperties.Schema, name+"/additionalProperties")
	s.within = outside
}
