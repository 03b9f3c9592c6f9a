package twoway

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// relaxed returns a schema for the part of an answer that a consumer reads. It requires no
// field, no number of items or fields, and nothing because of other values. The rules for values
// that are there stay.
func relaxed(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	r := rewriting{done: map[*openapi3.Schema]*openapi3.Schema{}, change: func(s *openapi3.Schema) {
		s.Required, s.MinItems, s.MinProps, s.DependentRequired = nil, 0, 0, nil
		s.Contains, s.MinContains, s.MaxContains, s.DependentSchemas = nil, nil, nil, nil
		s.If, s.Then, s.Else = nil, nil, nil
		if len(s.OneOf) > 0 {
			// With less required a value may fit several alternatives.
			either := (&openapi3.Schema{AnyOf: s.OneOf, Origin: s.Origin}).NewRef()
			s.OneOf, s.Discriminator, s.AllOf = nil, nil, append(slices.Clone(s.AllOf), either)
		}
	}}
	return r.ref(ref)
}

// sent returns a schema for a request, which has no read-only fields.
func sent(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	r := rewriting{done: map[*openapi3.Schema]*openapi3.Schema{}, change: func(s *openapi3.Schema) {
		s.Required = slices.DeleteFunc(slices.Clone(s.Required), func(name string) bool {
			field := s.Properties[name]
			return field != nil && field.Value != nil && field.Value.ReadOnly
		})
	}}
	return r.ref(ref)
}

// rewriting copies a schema and its parts, and changes each copy. It knows what it has copied
// already, since a schema may be inside itself.
type rewriting struct {
	change func(*openapi3.Schema)
	done   map[*openapi3.Schema]*openapi3.Schema
}

func (r rewriting) ref(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	if ref == nil || ref.Value == nil {
		return ref
	}
	if r.done[ref.Value] == nil {
		changed := *ref.Value
		r.done[ref.Value] = &changed
		r.change(&changed)
		r.parts(&changed)
	}
	return &openapi3.SchemaRef{Ref: ref.Ref, Value: r.done[ref.Value]} // the name of one that is inside itself
}

func (r rewriting) parts(s *openapi3.Schema) {
	s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems = r.refs(s.AllOf), r.refs(s.AnyOf), r.refs(s.OneOf), r.refs(s.PrefixItems)
	s.Items, s.Contains, s.Then, s.Else = r.ref(s.Items), r.ref(s.Contains), r.ref(s.Then), r.ref(s.Else)
	s.AdditionalProperties.Schema = r.ref(s.AdditionalProperties.Schema)
	s.Properties, s.PatternProperties = r.fields(s.Properties), r.fields(s.PatternProperties)
	s.DependentSchemas = r.fields(s.DependentSchemas)
}

func (r rewriting) refs(refs openapi3.SchemaRefs) openapi3.SchemaRefs {
	var changed openapi3.SchemaRefs
	for _, ref := range refs {
		changed = append(changed, r.ref(ref))
	}
	return changed
}

func (r rewriting) fields(schemas openapi3.Schemas) openapi3.Schemas {
	changed := openapi3.Schemas{}
	for name, schema := range schemas {
		changed[name] = r.ref(schema)
	}
	return changed
}
