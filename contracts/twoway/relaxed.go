package twoway

import "github.com/getkin/kin-openapi/openapi3"

// relaxed returns a schema for the part of an answer that a consumer reads. It requires no
// field, and no number of items or fields. The rules for values that are there stay.
func relaxed(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	return relaxer{}.ref(ref)
}

// relaxer knows the schemas that it has relaxed already, since one may be inside itself.
type relaxer map[*openapi3.Schema]*openapi3.Schema

func (r relaxer) ref(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	if ref == nil || ref.Value == nil {
		return ref
	}
	if r[ref.Value] == nil {
		relaxed := *ref.Value
		r[ref.Value] = &relaxed
		r.relax(&relaxed)
	}
	return r[ref.Value].NewRef()
}

func (r relaxer) relax(schema *openapi3.Schema) {
	schema.Required, schema.MinItems, schema.MinProps, schema.DependentRequired = nil, 0, 0, nil
	schema.AllOf, schema.AnyOf = r.refs(schema.AllOf), r.refs(schema.AnyOf)
	if len(schema.OneOf) > 0 {
		// With less required a value may fit several alternatives.
		either := (&openapi3.Schema{AnyOf: r.refs(schema.OneOf), Origin: schema.Origin}).NewRef()
		schema.OneOf, schema.Discriminator, schema.AllOf = nil, nil, append(schema.AllOf, either)
	}
	schema.Items = r.ref(schema.Items)
	schema.AdditionalProperties.Schema = r.ref(schema.AdditionalProperties.Schema)
	properties := openapi3.Schemas{}
	for name, property := range schema.Properties {
		properties[name] = r.ref(property)
	}
	schema.Properties = properties
}

func (r relaxer) refs(refs openapi3.SchemaRefs) openapi3.SchemaRefs {
	var relaxed openapi3.SchemaRefs
	for _, ref := range refs {
		relaxed = append(relaxed, r.ref(ref))
	}
	return relaxed
}
