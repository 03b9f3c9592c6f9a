package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestWhatIsNotKnown states what the generated code would not check, which is refused:
// else it would take what the document does not.
func TestWhatIsNotKnown(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /:
    post:
      operationId: post
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}}
      responses: {"204": {description: done}}
components:
  schemas:
    Part: {type: object, properties: {}}
    Body: %s
`
	for _, test := range []struct{ body, refused string }{
		{`{type: object, required: [a], properties: {a: {type: integer, minimum: 0, maximum: 9}}}`, ""},
		{`{type: object, properties: {a: {type: integer, minimum: 0}}}`, "no minimum or maximum"},
		{`{type: object, properties: {a: {type: integer, minimum: 0, maximum: 9, multipleOf: 2}}}`, "multipleOf"},
		{`{type: object, properties: {a: {type: integer, minimum: 0, maximum: 9, exclusiveMinimum: true}}}`, "exclusiveMinimum"},
		{`{type: object, properties: {a: {type: string}}}`, "no maxLength"},
		{`{type: object, properties: {a: {type: string, maxLength: 9, format: uuid}}}`, "uuid"},
		{`{type: object, properties: {a: {type: string, maxLength: 99, format: date-time, pattern: Z$}}}`, "date-time"},
		{`{type: object, properties: {a: {type: number}}}`, "number"},
		{`{type: object, properties: {a: {type: array, items: {type: boolean}}}}`, "no maxItems"},
		{`{type: object, additionalProperties: false, properties: {}}`, "additionalProperties"},
		{`{type: object, minProperties: 1, properties: {}}`, "minProperties"},
		{`{oneOf: [{type: object}]}`, "oneOf"},
		{`{allOf: [{$ref: "#/components/schemas/Part"}, {type: object, properties: {a: {type: boolean}}}]}`, "properties"},
	} {
		doc, err := openapi3.NewLoader().LoadFromData(fmt.Appendf(nil, document, test.body))
		if err != nil {
			t.Fatal(err)
		}
		_, err = generate(doc)
		if (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%s: %v, want %q", test.body, err, test.refused)
		}
	}
}
