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
		{
			`{type: object, properties: {a: {type: integer, minimum: 0, maximum: 9, exclusiveMinimum: true}}}`,
			"exclusiveMinimum",
		},
		{`{type: object, properties: {a: {type: string}}}`, "no maxLength"},
		{`{type: object, properties: {a: {type: string, maxLength: 9, format: uuid}}}`, "uuid"},
		{`{type: object, properties: {a: {type: string, maxLength: 99, format: date-time, pattern: Z$}}}`, "date-time"},
		{`{type: object, properties: {a: {type: number}}}`, "number"},
		{`{type: object, properties: {a: {type: array, items: {type: boolean}}}}`, "maxItems"},
		{`{type: object, properties: {a: {type: array, maxItems: 9}}}`, "no items"},
		{
			`{type: object, properties: {a: {type: object, properties: {}}}}`,
			"a: an object that is not under components",
		},
		{`{type: object, required: [a], properties: {a: {type: array, maxItems: 9, items: {$ref: "#/components/` +
			`schemas/Body"}}}}`, ""},
		{`{type: string, maxLength: 9}`, "not an object"},
		{`{type: object, additionalProperties: false, properties: {}}`, "additionalProperties"},
		{`{type: object, minProperties: 1, properties: {}}`, "minProperties"},
		{`{oneOf: [{type: object}]}`, "oneOf"},
		{
			`{allOf: [{$ref: "#/components/schemas/Part"}, {type: object, properties: {a: {type: boolean}}}]}`,
			"properties",
		},
	} {
		err := generates(t, fmt.Sprintf(document, test.body))
		if (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%s: %v, want %q", test.body, err, test.refused)
		}
	}
}

// TestAnswers states which answers there can be code for.
func TestAnswers(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /:
    get:
      operationId: get
      responses: {"200": {description: done%s}}
components:
  schemas:
    Body: {type: object, properties: {a: {type: string, enum: [b]}}}
`
	for _, test := range []struct{ content, refused string }{
		{`, content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}`, ""},
		{
			`, content: {text/plain: {schema: {$ref: "#/components/schemas/Body"}}}`,
			"response 200 of GET /: want application/json",
		},
		{``, "response 200 of GET /: want application/json"},
	} {
		err := generates(t, fmt.Sprintf(document, test.content))
		if (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%s: %v, want %q", test.content, err, test.refused)
		}
	}
}

// generates returns what is wrong with the code of a document.
func generates(t *testing.T, document string) error {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	_, err = generate(doc)
	return err
}
