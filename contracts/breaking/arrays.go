package breaking

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// cutArrays has arrays of themselves say nothing of their items at the point where they would
// begin again. oasdiff names the type of an array with that of its items, without an end. Our own
// comparison of the allowed values has the document as it was written.
func cutArrays(flat *openapi3.T) error {
	return flat.WalkSchemas(func(_ string, at *openapi3.SchemaRef) error {
		var within []*openapi3.Schema
		for schema := at.Value; schema != nil && schema.Items != nil; schema = schema.Items.Value {
			within = append(within, schema)
			if slices.Contains(within, schema.Items.Value) {
				schema.Items = nil
				break
			}
		}
		return nil
	})
}
