// Package schema is what the generators share: how they read an OpenAPI document, and
// what oapi-codegen calls things in Go.
package schema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Bodies returns the schemas of the document's JSON request bodies, by name.
func Bodies(doc *openapi3.T) []*openapi3.SchemaRef {
	var refs []*openapi3.SchemaRef
	for _, path := range doc.Paths.Map() {
		for _, op := range path.Operations() {
			if op.RequestBody != nil {
				refs = append(refs, op.RequestBody.Value.Content.Get("application/json").Schema)
			}
		}
	}
	slices.SortFunc(refs, func(a, b *openapi3.SchemaRef) int { return cmp.Compare(a.Ref, b.Ref) })
	return refs
}

// Flatten merges the parts of an allOf into one schema.
func Flatten(schema *openapi3.Schema) *openapi3.Schema {
	if len(schema.AllOf) == 0 {
		return schema
	}
	merged := *Flatten(schema.AllOf[0].Value)
	for _, part := range schema.AllOf[1:] {
		merged.Required = append(slices.Clone(merged.Required), part.Value.Required...)
	}
	return &merged
}

// TypeName returns the name of a schema that is referred to.
func TypeName(ref *openapi3.SchemaRef) string {
	return ref.Ref[strings.LastIndex(ref.Ref, "/")+1:]
}

// GoName spells a property as oapi-codegen spells its field; a difference would
// not compile.
func GoName(property string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(property, "_") {
		switch word {
		case "cpu", "cuda", "gpu", "id", "mb", "ram", "vram":
			name.WriteString(strings.ToUpper(word))
		default:
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return name.String()
}
