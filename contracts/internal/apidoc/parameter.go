package apidoc

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// SchemaOf returns the schema of a parameter, wherever the document has it. Without any it returns one
// that allows everything.
func SchemaOf(parameter *openapi3.Parameter) *openapi3.SchemaRef {
	for _, name := range slices.Sorted(maps.Keys(parameter.Content)) {
		if schema := parameter.Content[name].Schema; schema != nil {
			return schema
		}
	}
	if parameter.Schema == nil {
		return (&openapi3.Schema{}).NewRef()
	}
	return parameter.Schema
}
