package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/schema"
)

// TestWhatIsNotChecked states what generated code would not check, which is refused by name: else
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
    Empty: {type: object, properties: {}}
    Body: %s`
	const property = `{type: object, required: [part], properties: {part: {$ref: "#/components/schemas/Part"}}}
    Part: {type: object, properties: {field: %s}}`
	for _, test := range []struct{ inside, says, refused string }{
		{"%s", `{type: string, maxLength: 9}`, "schema Body: not an object"},
		{"%s", `{type: object, additionalProperties: false, properties: {}}`, `schema Body: "additionalProperties"`},
		{"%s", `{type: object, minProperties: 1, properties: {}}`, `schema Body: "minProperties"`},
		{"%s", `{oneOf: [{type: object}]}`, `schema Body: "oneOf"`},
		{
			"%s", `{allOf: [{$ref: "#/components/schemas/Empty"}, {type: object, properties: {a: {type: boolean}}}]}`,
			`schema Body: "properties" of type "a part of an object"`,
		},
		{
			"%s", `{type: object, properties: {part: {$ref: "#/components/schemas/Body"}}}`,
			"schema Body: part: an object that may be missing",
		},
		{property, `{type: integer, minimum: 0, maximum: 9}`, ""},
		{property, `{type: integer, minimum: 0}`, "schema Body: part: field: no minimum or maximum"},
		{property, `{type: integer, minimum: 0, maximum: 9, multipleOf: 2}`, `schema Body: part: field: "multipleOf"`},
		{
			property, `{type: integer, minimum: 0, maximum: 9, exclusiveMinimum: true}`,
			`schema Body: part: field: "exclusiveMinimum"`,
		},
		{property, `{type: number}`, `schema Body: part: field: "type" of type "number" is not checked`},
		{property, `{type: string}`, "schema Body: part: field: no maxLength"},
		{property, `{type: string, enum: [a]}`, ""},
		{
			property, `{type: string, maxLength: 9, enum: [a]}`,
			"schema Body: part: field: besides an enum nothing is checked",
		},
		{property, `{type: string, maxLength: 9, pattern: (}`, "schema Body: part: field: error parsing regexp"},
		{property, `{type: string, maxLength: 9, format: uuid}`, "schema Body: part: field: format \"uuid\""},
		{property, `{type: string, maxLength: 99, format: date-time, pattern: Z$}`, "schema Body: part: field: "},
		{property, `{type: array, maxItems: 9, items: {$ref: "#/components/schemas/Part"}}`, ""},
		{property, `{type: array, maxItems: 9}`, "schema Body: part: field: no items or maxItems"},
		{property, `{type: array, items: {type: boolean}}`, "schema Body: part: field: no items or maxItems"},
		{
			property, `{type: array, maxItems: 9, items: {type: string, enum: [a]}}`,
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
			property, `{type: object, properties: {}}`,
			"schema Body: part: field: an object that is not under components",
		},
	} {
		_, err := schema.Read(load(t, fmt.Sprintf(body, fmt.Sprintf(test.inside, test.says))))
		refuses(t, test.says, err, test.refused)
	}
}

// TestOperations states which bodies of operations there can be code for.
func TestOperations(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /:
    post:
      operationId: %s
      requestBody: {content: {%s}}
      responses: {"200": {description: done, content: {%s}}}
    put:
      operationId: put
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}}
      responses: {"204": {description: done}}
components:
  schemas:
    Body: {type: object, properties: {}}
`
	const body = `application/json: {schema: {$ref: "#/components/schemas/Body"}}`
	const text = `text/plain: {schema: {$ref: "#/components/schemas/Body"}}`
	const request = "POST /: request body: want application/json"
	for _, test := range []struct{ operation, request, answer, refused string }{
		{"post", body, body, ""},
		{"put", body, body, `operationId "put"`},
		{"post", text, body, request},
		{"post", `application/json: {example: {}}`, body, request},
		{"post", `application/json: {schema: {type: object, properties: {}}}`, body, request},
		{"post", body, text, "POST /: response 200: want application/json"},
		{"post", body, "", "POST /: response 200: want application/json"},
	} {
		_, err := schema.Read(load(t, fmt.Sprintf(document, test.operation, test.request, test.answer)))
		refuses(t, test.operation+", "+test.request+", "+test.answer, err, test.refused)
	}
}

// TestParameters states which parameters there can be checks for.
func TestParameters(t *testing.T) {
	const document = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths: {}
components:
  parameters: {A: {name: a, in: query, schema: %s}}
`
	for _, test := range []struct{ says, refused string }{
		{`{type: string, maxLength: 9}`, ""},
		{`{type: string}`, "parameter A: no maxLength"},
		{`{type: integer, minimum: 0, maximum: 9}`, "parameter A: not a text"},
	} {
		_, err := schema.Parameters(load(t, fmt.Sprintf(document, test.says)))
		refuses(t, test.says, err, test.refused)
	}
}

func load(t *testing.T, document string) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func refuses(t *testing.T, what string, err error, refused string) {
	t.Helper()
	if (err == nil) != (refused == "") || err != nil && !strings.Contains(err.Error(), refused) {
		t.Errorf("%s: %v, want %q", what, err, refused)
	}
}
