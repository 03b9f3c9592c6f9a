package breaking_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/breaking"
)

// circles are schemas that contain themselves, and allow values all the same.
var circles = map[string]string{
	"items":       `{"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/A"}}`,
	"two arrays":  `{"type": "array", "items": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}`,
	"mutual":      `{"type": "array", "items": {"$ref": "#/components/schemas/B"}}`,
	"properties":  `{"type": "object", "properties": {"left": {"$ref": "#/components/schemas/A"}}}`,
	"a list":      `{"properties": {"kids": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}}`,
	"any name":    `{"type": "object", "additionalProperties": {"$ref": "#/components/schemas/A"}}`,
	"a part":      `{"allOf": [{"type": "object", "properties": {"kid": {"$ref": "#/components/schemas/A"}}}]}`,
	"oneOf":       `{"oneOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/A"}}]}`,
	"anyOf":       `{"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/A"}}]}`,
	"not":         `{"type": "object", "properties": {"x": {"not": {"$ref": "#/components/schemas/A"}}}}`,
	"a condition": `{"items": {"if": {"$ref": "#/components/schemas/A"}, "then": {"$ref": "#/components/schemas/A"}}}`,
}

// TestCircles compares documents whose schemas contain themselves with one whose schema does not.
func TestCircles(t *testing.T) {
	t.Parallel()
	use := `{"schema": {"$ref": "#/components/schemas/A"}}`
	document := `{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": {
		"parameters": [{"name": "q", "in": "query", "schema": {"$ref": "#/components/schemas/A"}}],
		"requestBody": {"content": {"application/json": ` + use + `}},
		"responses": {"200": {"description": "ok", "headers": {"X-A": ` + use + `},
			"content": {"application/json": ` + use + `}}}}}},
		"components": {"schemas": {"A": SCHEMA, "B": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}}}`
	for name, circle := range circles {
		t.Run(name, func(t *testing.T) {
			home := folder(t, map[string]string{
				"circle.json": strings.Replace(document, "SCHEMA", circle, 1),
				"plain.json":  strings.Replace(document, "SCHEMA", `{"type": "number"}`, 1),
			})
			in := func(name string) string { return filepath.Join(home, name+".json") }
			for _, test := range []struct {
				base, document string
				breaks         bool
			}{{"circle", "plain", true}, {"plain", "circle", true}, {"circle", "circle", false}} {
				report, err := compareFiles(t, in(test.base), in(test.document))
				if err != nil {
					t.Errorf("%s to %s: %v", test.base, test.document, err)
				} else if breaks := report.Breaks(breaking.OldNodes, breaking.NewNodes); breaks != test.breaks {
					t.Errorf("%s to %s breaks: %t, want %t", test.base, test.document, breaks, test.breaks)
				}
			}
		})
	}
}
