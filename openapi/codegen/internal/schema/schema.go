// Package schema is what the generators share: how they read the schemas of an OpenAPI
// document, and which names oapi-codegen gives to them in Go.
package schema

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Requests returns the schemas of the document's request bodies, by operation.
func Requests(doc *openapi3.T) (map[string]*openapi3.SchemaRef, error) {
	bodies := map[string]*openapi3.SchemaRef{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			body, err := content(op.RequestBody.Value.Content)
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

// Answers returns the schemas of the answers to requests that succeed.
func Answers(doc *openapi3.T) ([]*openapi3.SchemaRef, error) {
	var answers []*openapi3.SchemaRef
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			ok := op.Responses.Status(http.StatusOK)
			if ok == nil {
				continue
			}
			answer, err := content(ok.Value.Content)
			if err != nil {
				return nil, fmt.Errorf("response 200 of %s %s: %w", method, path, err)
			}
			answers = append(answers, answer)
		}
	}
	return answers, nil
}

// Parameters returns the parameters that operations share. The error names one that is no text.
func Parameters(doc *openapi3.T) ([]Field, error) {
	var parameters []Field
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Parameters)) {
		ref := doc.Components.Parameters[name].Value.Schema
		if err := (known{}).value(ref); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		if parameter := (Field{
			Name: name, GoName: initialisms(name),
			Value: NewValue(name, ref),
		}); parameter.Kind == Text {
			parameters = append(parameters, parameter)
			continue
		}
		return nil, fmt.Errorf("parameter %s: not a text", name)
	}
	return parameters, nil
}

// content returns the schema of JSON content. The error is for content without JSON, or without
// a type in Go.
func content(of openapi3.Content) (*openapi3.SchemaRef, error) {
	media := of.Get("application/json")
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

// initialisms spells the name of a parameter as oapi-codegen does.
func initialisms(name string) string {
	if base, ok := strings.CutSuffix(name, "Id"); ok {
		return base + "ID"
	}
	return name
}
