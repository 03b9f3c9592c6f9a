package main

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestSharedBody states that a body of several operations has one method.
func TestSharedBody(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(`
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /:
    post:
      operationId: post
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}}
      responses: {"204": {description: done}}
    put:
      operationId: put
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}}
      responses: {"204": {description: done}}
components:
  schemas:
    Body: {type: object, properties: {}}
`))
	if err != nil {
		t.Fatal(err)
	}
	code, err := generate(doc)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(code), "func (v Body) Validate()"); n != 1 {
		t.Errorf("%d methods of one name:\n%s", n, code)
	}
}
