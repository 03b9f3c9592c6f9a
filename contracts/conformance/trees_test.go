package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/openapi"
)

// TestTrees_heavy makes requests from documents whose schemas have fields and items of their own kind, and from
// one that does not say what the items of a list are.
func TestTrees_heavy(t *testing.T) {
	race.Skip(t)
	const (
		example = "          example: [pool-0, pool-1]\n"
		field   = "      properties: &capabilities\n"
		itself  = `{$ref: "#/components/schemas/NodeCapabilities"}`
		items   = "          items:\n            $ref: \"#/components/schemas/PoolId\"\n" + example
	)
	for name, changes := range map[string][]string{
		"a field, items, and items that must not be none": {
			field, field + "        parent: " + itself + "\n        children: {type: array, items: " + itself + "}\n" +
				"        friends: {type: array, minItems: 1, items: " + itself + "}\n",
		},
		"any items":       {"openapi: 3.0.3", "openapi: 3.1.0", items, example},
		"any items, none": {"openapi: 3.0.3", "openapi: 3.1.0", items, ""},
	} {
		t.Run(name, func(t *testing.T) {
			document := string(openapi.Nodes)
			for i := 0; i < len(changes); i += 2 {
				if !strings.Contains(document, changes[i]) {
					t.Fatalf("the document has no %q", changes[i])
				}
				document = strings.Replace(document, changes[i], changes[i+1], 1)
			}
			bubble(t, func(t *testing.T) {
				report := conforms(t, newMock(t), conformance.Options{
					Document: []byte(document), Level: conformance.Document,
					Only: []string{"examples", "coverage", "negative"},
				})
				if !slices.ContainsFunc(report.Coverage, keepsMachine) {
					t.Error("no registration keeps a rule for the machine, since none keeps the document")
				}
			})
		})
	}
}

// keepsMachine reports whether a rule for the machine was tried by being kept.
func keepsMachine(c conformance.Cover) bool { return c.Field == "/machine_id" && !c.Broken }
