package twoway_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/twoway"
	"github.com/llama-orch/node-registration/openapi"
)

// FuzzCheck holds any document and any pact against each other: whatever they are, that
// ends, with a report or with an error.
func FuzzCheck(f *testing.F) {
	pact, err := os.ReadFile("../pacts/pool-managerd-orchestratord.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(openapi.Nodes, pact)
	const minimal = `{openapi: 3.0.3, info: {title: t, version: "1"}, paths: {/a: {post: {requestBody: {content: {application/json: {
		schema: {$ref: "#/components/schemas/A"}}}}, responses: {"200": {description: d, content: {application/json: {
		schema: {$ref: "#/components/schemas/A"}}}}}}}}, components: {schemas: {A: `
	small := []byte(
		`{"metadata": {"pactSpecification": {"version": "4.0"}}, "interactions": [{"type": "Synchronous/HTTP",
		"request": {"method": "POST", "path": "/a", "body": {"content": {"b": [1]}}},
		"response": {"status": 200, "body": {"content": {"b": [1]}}, "matchingRules": {"body": {"$.b[*]": {"matchers": [{"match": "type"}]}}}}}]}`)
	for _, schema := range []string{
		`{type: object, properties: {b: {type: array, items: {type: integer}}}}`,
		`{type: object, properties: {b: {$ref: "#/components/schemas/A"}}}`,
		`{allOf: [{$ref: "#/components/schemas/A"}]}`,
		`{oneOf: [{type: string}, {anyOf: [{$ref: "#/components/schemas/A"}]}]}`,
		`{type: array, items: {$ref: "#/components/schemas/A"}}`,
		`{additionalProperties: {$ref: "#/components/schemas/A"}, not: {type: integer}}`,
		`{if: {type: object}, then: {$ref: "#/components/schemas/A"}}`,
		`{const: 1, prefixItems: [{$ref: "#/components/schemas/A"}]}`,
		`{dependentSchemas: {b: {properties: {b: {$ref: "#/components/schemas/A"}}}}}`,
		`{type: array}`,
		`{type: object, required: [b], properties: {b: {$ref: "#/components/schemas/A"}}}`,
		`{allOf: [&b {allOf: [&c {allOf: [&d {}, *d, *d, *d]}, *c, *c, *c]}, *b, *b, *b]}`,
		`{}}, headers: {X-A: {content: {text/plain: null}}`,
		`{}}, responses: {R: {description: d, content: {text/plain: null}}}`,
	} {
		f.Add([]byte(minimal+schema+"}}}"), small)
		f.Add([]byte(strings.Replace(minimal, "3.0.3", "3.1.0", 1)+schema+"}}}"), small)
	}
	f.Fuzz(func(t *testing.T, document, pact []byte) {
		parsed, err := pactfile.Parse(pact)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "document.yaml")
		if err := os.WriteFile(path, document, 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := twoway.Load(t.Context(), path)
		if err != nil {
			return
		}
		if report := twoway.Check(twoway.Input{Document: loaded, Pact: parsed}); report == nil {
			t.Error("there is no report")
		}
	})
}
