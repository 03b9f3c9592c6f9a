package spec

import (
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// circles looks for schemas that contain themselves: to look through one would never end.
type circles struct {
	within []*openapi3.Schema        // the schemas that the one at hand is a part of
	done   map[*openapi3.Schema]bool // those that contain no circle
}

// visit panics if a schema contains itself.
func (c *circles) visit(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || c.done[ref.Value] {
		return
	}
	schema := ref.Value
	if slices.Contains(c.within, schema) {
		panic(fmt.Sprintf("schema %s is a part of itself", ref.Ref))
	}
	c.within = append(c.within, schema)
	single := openapi3.SchemaRefs{schema.Not, schema.Items, schema.AdditionalProperties.Schema}
	for _, part := range slices.Concat(schema.AllOf, schema.AnyOf, schema.OneOf, single) {
		c.visit(part)
	}
	for _, field := range schema.Properties {
		c.visit(field)
	}
	c.within = c.within[:len(c.within)-1]
	c.done[schema] = true
}
