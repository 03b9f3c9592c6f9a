package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestWhatIsNotChecked states what Validate would not check, which is refused by name: else
// it would pass what the document does not.
func TestWhatIsNotChecked(t *testing.T) {
	const body = `
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
    Body: `
	const property = body + `{type: object, required: [part], properties: {part: {$ref: "#/components/schemas/Part"}}}
    Part: {type: object, properties: {field: %s}}`
	for _, test := range []struct{ document, says, refused string }{
		{property, `{type: integer, minimum: 0, maximum: 9}`, ""},
		{property, `{type: array, maxItems: 9, items: {$ref: "#/components/schemas/Part"}}`, ""},
		{property, `{type: integer, minimum: 0}`, "schema Body: part: field: no minimum or maximum"},
		{property, `{type: string}`, "schema Body: part: field: no maxLength"},
		{property, `{type: string, enum: [a]}`, ""},
		{
			property, `{type: string, maxLength: 9, enum: [a]}`,
			"schema Body: part: field: besides an enum nothing is checked",
		},
		{property, `{type: string, maxLength: 9, pattern: (}`, "schema Body: part: field: error parsing regexp"},
		{
			property, `{type: array, maxItems: 9, items: {type: string, enum: [a]}}`,
			"schema Body: part: field: items other than texts and objects",
		},
		{
			property, `{type: array, maxItems: 9, items: {type: boolean}}`,
			"schema Body: part: field: items other than texts and objects",
		},
		{
			property, `{type: array, maxItems: 9, items: {type: string, maxLength: 9, nullable: true}}`,
			"schema Body: part: field: items other than texts and objects",
		},
		{
			property, `{type: array, maxItems: 9, uniqueItems: true, items: {$ref: "#/components/schemas/Part"}}`,
			"schema Body: part: field: uniqueItems of objects",
		},
		{
			property, `{type: array, items: {type: string, maxLength: 9}}`,
			"schema Body: part: field: no items or maxItems",
		},
		{property, `{type: array, maxItems: 9}`, "schema Body: part: field: no items or maxItems"},
		{
			property, `{type: object, properties: {}}`,
			"schema Body: part: field: an object that is not under components",
		},
		{property, `{type: number}`, `schema Body: part: field: "type" of type "number" is not checked`},
		{
			body + "%s", `{type: object, properties: {part: {$ref: "#/components/schemas/Body"}}}`,
			"schema Body: part: an object that may be missing",
		},
		{body + "%s", `{type: string, maxLength: 9}`, "schema Body: not an object"},
		{body + "%s", `{oneOf: [{type: object}]}`, `schema Body: "oneOf"`},
	} {
		err := generates(t, fmt.Sprintf(test.document, test.says))
		if (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%s: %v, want %q", test.says, err, test.refused)
		}
	}
}

// TestBodies states which request bodies there can be checks for.
func TestBodies(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /:
    post:
      operationId: %s
      requestBody: {content: {%s}}
      responses: {"204": {description: done}}
    put:
      operationId: put
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}}
      responses: {"204": {description: done}}
components:
  schemas:
    Body: {type: object, properties: {}}
`
	const body = `application/json: {schema: {$ref: "#/components/schemas/Body"}}`
	const refused = "request body of POST /: want application/json"
	for _, test := range []struct{ operation, content, refused string }{
		{"post", body, ""},
		{"put", body, `operationId "put"`},
		{"post", `text/plain: {schema: {$ref: "#/components/schemas/Body"}}`, refused},
		{"post", `application/json: {example: {}}`, refused},
		{"post", `application/json: {schema: {type: object, properties: {}}}`, refused},
	} {
		err := generates(t, fmt.Sprintf(document, test.operation, test.content))
		if (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%s, %s: %v, want %q", test.operation, test.content, err, test.refused)
		}
	}
}

// TestParameters states which parameters there can be checks for.
func TestParameters(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths: {/: {post: {operationId: post, requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}}, responses: {"204": {description: done}}}}}
components:
  schemas: {Body: {type: object, properties: {}}}
  parameters: {A: {name: a, in: query, schema: %s}}
`
	for _, test := range []struct{ says, refused string }{
		{`{type: string, maxLength: 9}`, ""},
		{`{type: string}`, "parameter A: no maxLength"},
		{`{type: integer, minimum: 0, maximum: 9}`, "parameter A: not a text"},
	} {
		err := generates(t, fmt.Sprintf(document, test.says))
		if (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%s: %v, want %q", test.says, err, test.refused)
		}
	}
}

// generates returns what is wrong with the checks of a document.
func generates(t *testing.T, document string) error {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	code, err := generate(doc)
	if err != nil {
		return err
	}
	if n := strings.Count(string(code), "func (v Body) Validate()"); n != 1 {
		return fmt.Errorf("%d methods of one name:\n%s", n, code)
	}
	return nil
}
