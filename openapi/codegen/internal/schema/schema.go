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

// Bodies are the schemas of what operations send and receive.
type Bodies struct {
	Requests map[string]*openapi3.SchemaRef // by operation
	Answers  []*openapi3.SchemaRef          // to requests that succeed
}

// Read returns the bodies of a document. The error names what generated code cannot hold a
// body to. That is the operation whose content has no type in Go, or the schema and its
// property.
func Read(doc *openapi3.T) (Bodies, error) {
	b := Bodies{Requests: map[string]*openapi3.SchemaRef{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if err := b.add(op); err != nil {
				return Bodies{}, fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
	}
	return b, checkKnown(b.All())
}

// All returns the schemas of requests and answers.
func (b Bodies) All() []*openapi3.SchemaRef {
	return slices.AppendSeq(slices.Clone(b.Answers), maps.Values(b.Requests))
}

func (b *Bodies) add(op *openapi3.Operation) error {
	if op.RequestBody != nil {
		body, err := content(op.RequestBody.Value.Content)
		if err != nil {
			return fmt.Errorf("request body: %w", err)
		}
		if b.Requests[op.OperationID] != nil {
			return fmt.Errorf("another operation has the operationId %q", op.OperationID)
		}
		b.Requests[op.OperationID] = body
	}
	if ok := op.Responses.Status(http.StatusOK); ok != nil {
		answer, err := content(ok.Value.Content)
		if err != nil {
			return fmt.Errorf("response 200: %w", err)
		}
		b.Answers = append(b.Answers, answer)
	}
	return nil
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
			Value: newValue(name, ref),
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

// flatten merges the parts of an allOf into one schema.
func flatten(schema *openapi3.Schema) *openapi3.Schema {
	if len(schema.AllOf) == 0 {
		return schema
	}
	merged := *flatten(schema.AllOf[0].Value)
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
