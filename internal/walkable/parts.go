package walkable

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// part is a schema within another one.
type part struct {
	keyword, key string
	ref          *openapi3.SchemaRef
	deeper       int // 1 if it is about values within the value, 0 if about the value itself
}

// parts are those of one schema.
type parts []part

func partsOf(s *openapi3.Schema) (p parts) {
	p.list("allOf", s.AllOf, 0)
	p.list("anyOf", s.AnyOf, 0)
	p.list("oneOf", s.OneOf, 0)
	p.named("dependentSchemas", s.DependentSchemas, 0)
	p.one("not", s.Not, 0)
	p.one("if", s.If, 0)
	p.one("then", s.Then, 0)
	p.one("else", s.Else, 0)
	p.named("properties", s.Properties, 1)
	p.named("patternProperties", s.PatternProperties, 1)
	p.one("additionalProperties", s.AdditionalProperties.Schema, 1)
	p.one("unevaluatedProperties", s.UnevaluatedProperties.Schema, 1)
	p.one("propertyNames", s.PropertyNames, 1)
	p.list("prefixItems", s.PrefixItems, 1)
	p.one("items", s.Items, 1)
	p.one("unevaluatedItems", s.UnevaluatedItems.Schema, 1)
	p.one("contains", s.Contains, 1)
	p.one("contentSchema", s.ContentSchema, 1)
	p.named("$defs", s.Defs, 1)
	return p
}

func (p *parts) one(keyword string, ref *openapi3.SchemaRef, deeper int) {
	if ref != nil {
		*p = append(*p, part{keyword: keyword, ref: ref, deeper: deeper})
	}
}

func (p *parts) list(keyword string, refs openapi3.SchemaRefs, deeper int) {
	for _, ref := range refs {
		*p = append(*p, part{keyword: keyword, ref: ref, deeper: deeper})
	}
}

func (p *parts) named(keyword string, schemas openapi3.Schemas, deeper int) {
	for _, key := range slices.Sorted(maps.Keys(schemas)) {
		*p = append(*p, part{keyword, key, schemas[key], deeper})
	}
}

// join adds the steps that have a name to a JSON pointer.
func join(pointer string, steps ...string) string {
	for _, step := range steps {
		if step != "" {
			pointer = jsonpointer.Join(pointer, step)
		}
	}
	return pointer
}
