package twoway

import (
	"errors"
	"maps"
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// shape is all that the document says of a value: its schema, and the schemas
// that this one is composed of.
type shape []*openapi3.Schema

func shapeOf(ref *openapi3.SchemaRef) shape {
	if ref == nil {
		return nil
	}
	s := shape{ref.Value}
	parts := slices.Concat(ref.Value.AllOf, ref.Value.AnyOf, ref.Value.OneOf, conditional(ref.Value))
	for _, part := range parts {
		s = append(s, shapeOf(part)...)
	}
	return s
}

// conditional returns the parts of a schema that hold for some values.
func conditional(schema *openapi3.Schema) openapi3.SchemaRefs {
	var parts openapi3.SchemaRefs
	for _, name := range slices.Sorted(maps.Keys(schema.DependentSchemas)) {
		parts = append(parts, schema.DependentSchemas[name])
	}
	return append(parts, schema.Then, schema.Else)
}

// hasAlternatives reports whether the value may be described by one schema or by another.
func (s shape) hasAlternatives() bool {
	return slices.ContainsFunc(s, func(schema *openapi3.Schema) bool {
		return len(schema.AnyOf)+len(schema.OneOf)+len(schema.DependentSchemas) > 0 ||
			schema.Then != nil || schema.Else != nil
	})
}

// ref returns one schema that says all of it, where there are no alternatives.
func (s shape) ref() *openapi3.SchemaRef {
	if s == nil {
		return nil
	}
	whole := &openapi3.Schema{}
	for _, schema := range s {
		whole.AllOf = append(whole.AllOf, schema.NewRef())
	}
	return whole.NewRef()
}

// anything is the shape of a value that the document leaves open.
func anything() shape {
	return shape{{}}
}

// field returns the shape of an object's field, or of all of them for "*"; nil
// when the document does not have it.
func (s shape) field(name string) shape {
	var found shape
	described := false
	for _, schema := range s {
		for _, property := range slices.Sorted(maps.Keys(schema.Properties)) {
			described = true
			if name == "*" || name == property {
				found = append(found, shapeOf(schema.Properties[property])...)
			}
		}
		for _, pattern := range slices.Sorted(maps.Keys(schema.PatternProperties)) {
			if matches, err := regexp.MatchString(pattern, name); name == "*" || err == nil && matches {
				found = append(found, shapeOf(schema.PatternProperties[pattern])...)
			}
		}
	}
	for _, schema := range s {
		if extra := schema.AdditionalProperties; found == nil && extra.Schema != nil {
			found = shapeOf(extra.Schema)
		} else if found == nil && extra.Has != nil && *extra.Has {
			found = anything()
		}
	}
	if found == nil && !described && s.allows(openapi3.TypeObject) {
		return anything()
	}
	return found
}

// optional reports whether the document lets an object be without a field. The
// entries of a map are not fields: no document requires one.
func (s shape) optional(name string) bool {
	named, isMap := false, false
	for _, schema := range s {
		if slices.Contains(schema.Required, name) {
			return false
		}
		named = named || schema.Properties[name] != nil
		isMap = isMap || schema.AdditionalProperties.Schema != nil
	}
	return named || !isMap
}

// items returns the shape of an array's items.
func (s shape) items() shape {
	var found shape
	for _, schema := range s {
		if len(schema.PrefixItems) > 0 {
			return anything() // each has a schema of its own
		}
		found = append(found, shapeOf(schema.Items)...)
	}
	if found == nil && s.allows(openapi3.TypeArray) {
		return anything()
	}
	return found
}

// values returns the shape of what is inside an array or an object.
func (s shape) values() shape {
	return append(s.items(), s.field("*")...)
}

// allows reports whether a value may be of one of some JSON types.
func (s shape) allows(types ...string) bool {
	typed := false
	for _, schema := range s {
		if schema.Nullable && slices.Contains(types, openapi3.TypeNull) {
			return true
		}
		for _, have := range schema.Type.Slice() {
			typed = true
			if slices.Contains(types, have) {
				return true
			}
		}
	}
	return !typed
}

// types returns the JSON types that the document names for the value.
func (s shape) types() []string {
	var types []string
	for _, schema := range s {
		types = append(types, schema.Type.Slice()...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// line returns where the document describes the value.
func (s shape) line() int {
	for _, schema := range s {
		if at := line(schema.Origin, ""); at > 0 {
			return at
		}
	}
	return 0
}

// schemaErrors splits a validation error into its innermost errors. The outer ones, such as a
// value that does not match an allOf, do not help a reader.
func schemaErrors(err error) []*openapi3.SchemaError {
	if several, ok := errors.AsType[openapi3.MultiError](err); ok {
		var found []*openapi3.SchemaError
		for _, each := range several {
			found = append(found, schemaErrors(each)...)
		}
		return found
	}
	one, ok := errors.AsType[*openapi3.SchemaError](err)
	if !ok {
		return nil
	}
	if inner := schemaErrors(one.Origin); len(inner) > 0 {
		return inner
	}
	return []*openapi3.SchemaError{one}
}
