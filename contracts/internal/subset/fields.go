package subset

import "github.com/getkin/kin-openapi/openapi3"

// Fields returns the paths of all fields that a schema or a part of it names.
func Fields(ref *openapi3.SchemaRef) map[string]bool {
	f := fields{found: map[string]bool{}, within: map[*openapi3.Schema]bool{}}
	f.visit("", ref)
	return f.found
}

type fields struct {
	found  map[string]bool
	within map[*openapi3.Schema]bool // the schemas that the one at hand is in
}

func (f fields) visit(path string, ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || f.within[ref.Value] {
		return
	}
	schema := ref.Value
	f.within[schema] = true
	defer delete(f.within, schema)
	for _, parts := range []openapi3.SchemaRefs{schema.AllOf, schema.AnyOf, schema.OneOf} {
		for _, part := range parts {
			f.visit(path, part)
		}
	}
	below := func(name string, inner *openapi3.SchemaRef) {
		if path != "" {
			name = path + "/" + name
		}
		f.found[name] = true
		f.visit(name, inner)
	}
	for name, property := range schema.Properties {
		below(name, property)
	}
	if schema.Items != nil {
		below(Items, schema.Items)
	}
	if schema.AdditionalProperties.Schema != nil {
		below(Additional, schema.AdditionalProperties.Schema)
	}
}
