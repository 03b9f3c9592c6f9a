package mockserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/openapi"
)

// TestDocumentsWithTrees_heavy holds a node to documents whose schemas have fields and items of their own kind.
func TestDocumentsWithTrees_heavy(t *testing.T) {
	race.Skip(t)
	t.Parallel()
	const capabilities = `{"gpu_count":1,"total_vram_mb":1,"cuda_version":""`
	for field, values := range map[string][2]string{
		`{$ref: "#/components/schemas/NodeCapabilities"}`:                       {"", ""},
		`{type: array, items: {$ref: "#/components/schemas/NodeCapabilities"}}`: {"[", "]"},
	} {
		document := strings.Replace(string(openapi.Nodes), "properties: &capabilities\n",
			"properties: &capabilities\n        inner: "+field+"\n", 1)
		if document == string(openapi.Nodes) {
			t.Fatal("the document has no capabilities")
		}
		orchestratord := mocktest.Start(t, mockserver.WithLogger(nil))
		front := mocktest.Start(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: orchestratord.URL, Document: []byte(document),
		}))
		for _, innermost := range []string{capabilities + "}", `{"gpu_count":"one"}`} {
			tree := innermost
			for range 3 {
				tree = capabilities + `,"inner":` + values[0] + tree + values[1] + "}"
			}
			body := strings.Replace(briefRegistration, `"capabilities": {`, `"capabilities": `+tree+`, "rest": {`, 1)
			callWith(t, front, "POST /v2/nodes/register", body)
		}
		kinds := map[string]int{}
		for _, entry := range front.Drift().Entries {
			if strings.HasPrefix(entry.Pointer, "/capabilities/") {
				kinds[entry.Kind]++
			}
		}
		if len(kinds) != 2 || kinds["type"] != 1 || kinds["required"] != 2 {
			t.Errorf("%s: the drift is %v", field, front.Drift().Entries)
		}
	}
}

// TestDocumentsThatCannotBeWalked_heavy gives the mock documents that no program gets through.
func TestDocumentsThatCannotBeWalked_heavy(t *testing.T) {
	race.Skip(t)
	t.Parallel()
	schemas := "\n  schemas:\n    S24: {}\n"
	for i := range 24 {
		next := fmt.Sprintf(`{$ref: "#/components/schemas/S%d"}`, i+1)
		schemas += fmt.Sprintf("    S%d: {allOf: [%s, %s]}\n", i, next, next)
	}
	for want, change := range map[string][2]string{
		"makes the document unfold to more than": {"\n  schemas:\n", schemas},
		"#/components/headers/Empty/content/text~1plain is null": {
			"\n  headers:\n", "\n  headers:\n    Empty: {content: {text/plain: null}}\n",
		},
	} {
		document := strings.Replace(string(openapi.Nodes), change[0], change[1], 1)
		_, err := mockserver.New(mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://127.0.0.1:1", Document: []byte(document),
		}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
}

// TestDocumentsWithCircles_heavy gives the mock documents whose schemas are parts of themselves, which nothing
// could look through.
func TestDocumentsWithCircles_heavy(t *testing.T) {
	race.Skip(t)
	t.Parallel()
	const (
		schemas          = "\n  schemas:\n"
		body             = `$ref: "#/components/schemas/RegisterRequest"`
		place            = `$ref: "#/paths/~1v2~1nodes~1register/post/requestBody/content/application~1json/schema`
		inPlace, inField = place + `"`, place + `/items"`
	)
	documents := map[string]string{
		"within the operation": strings.Replace(string(openapi.Nodes), body, "allOf: [{"+inPlace+"}]", 1),
		"its fields":           strings.Replace(string(openapi.Nodes), body, "items: {not: {"+inField+"}}", 1),
	}
	for _, circle := range []string{
		`{allOf: [{$ref: "#/components/schemas/B"}]}`, `{oneOf: [{$ref: "#/components/schemas/B"}]}`,
		`{not: {$ref: "#/components/schemas/B"}}`,
	} {
		document := strings.Replace(string(openapi.Nodes), schemas,
			schemas+"    A: "+circle+"\n    B: {allOf: [{$ref: \"#/components/schemas/A\"}]}\n", 1)
		documents[circle] = strings.Replace(document, "schemas/RegisterRequest", "schemas/A", 1)
	}
	for circle, document := range documents {
		_, err := mockserver.New(mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://127.0.0.1:1", Document: []byte(document),
		}))
		if err == nil || !strings.Contains(err.Error(), "is a part of itself") {
			t.Errorf("%s: the error is %v", circle, err)
		}
	}
}

// TestDocumentsWithoutSchemas holds an orchestratord to documents that say nothing about a body, an answer
// or a header: anything will do there.
func TestDocumentsWithoutSchemas(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"a body":    {"schema:\n              $ref: \"#/components/schemas/RegisterRequest\"", ""},
		"an answer": {"schema:\n                $ref: \"#/components/schemas/RegisterResponse\"", ""},
		"a header":  {"headers:\n", "headers:\n            Date: {}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := strings.Replace(string(openapi.Nodes), change[0], change[1], 1)
			if document == string(openapi.Nodes) {
				t.Fatal("the document has no such place")
			}
			orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService))
			front := mocktest.Start(t, mockserver.WithUpstream(mockserver.Upstream{
				URL: orchestratord.URL, Document: []byte(document),
			}))
			callWith(t, front, "POST /v2/nodes/register", rustRegistration)
			if drift := front.UpstreamDrift().Entries; len(front.Nodes()) != 1 || len(drift) > 0 {
				t.Errorf("nodes in front: %v, drift of orchestratord: %v; want one and none", front.Nodes(), drift)
			}
		})
	}
}
