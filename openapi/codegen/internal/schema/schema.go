// Package schema is what the generators share: how they read the schemas of an OpenAPI
// document, and which names oapi-codegen gives to them in Go.
package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Bodies returns the schemas of the document's request bodies, by operation.
func Bodies(doc *openapi3.T) (map[string]*openapi3.SchemaRef, error) {
	bodies := map[string]*openapi3.SchemaRef{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			body, err := JSON(op.RequestBody.Value.Content)
			if err != nil {
				return nil, fmt.Errorf("request body of %s %s: %w", method, path, err)
			}
			if bodies[op.OperationID] != nil {
				return nil, fmt.Errorf("%s %s: another operation has the operationId %q", method, path, op.OperationID)
			}
			bodies[op.OperationID] = body
		}
	}
	return bodies, nil
}

// JSON returns the schema of JSON content. The error is for content without JSON, or without a
// type in Go.
func JSON(content openapi3.Content) (*openapi3.SchemaRef, error) {
	media := content.Get("application/json")
	if media == nil || media.Schema == nil || media.Schema.Ref == "" {
		return nil, errors.New("want application/json with the $ref of a schema")
	}
	return media.Schema, nil
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
