package subset_test

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/subset"
)

func schema(t *testing.T, text string) *openapi3.SchemaRef {
	t.Helper()
	document := `{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, "components": {"schemas": {
		"Tree": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}]},
		"It": ` + text + `}}}`
	loaded, err := openapi3.NewLoader().LoadFromData([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return loaded.Components.Schemas["It"]
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name         string
		inner, outer string
		gaps         string
		unsure       bool
	}{
		{"the same", `{"type": "string"}`, `{"type": "string"}`, "", false},
		{"anything in something", `{}`, `{"type": "string"}`, ": null, booleans, numbers, arrays or objects", false},
		{"null in anything", `{"type": "string", "nullable": true, "enum": ["a", null]}`, `{}`, "", false},
		{"an integer in numbers", `{"type": "integer"}`, `{"type": "number"}`, "", false},
		{"numbers in integers", `{"type": "number"}`, `{"type": "integer"}`, ": numbers with a fraction", false},
		{
			"open ends", `{"type": "number", "minimum": 0, "maximum": 9}`,
			`{"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": true}`,
			": numbers up to 0\n: numbers from 9", false,
		},
		{
			"a trees in a tree", `{"$ref": "#/components/schemas/Tree"}`, `{"$ref": "#/components/schemas/Tree"}`, "",
			false,
		},
		{
			"a tree in a list", `{"$ref": "#/components/schemas/Tree"}`, `{"type": "array"}`, ": strings", false,
		},
		{
			"a field inside an item",
			`{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}`,
			`{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}}}}`,
			"items/a: strings of more than 2 characters", false,
		},
		{
			"a field that is read-only", `{"type": "object", "properties": {"a": {"type": "string"}}}`,
			`{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "readOnly": true}}}`, "",
			false,
		},
		{
			"alternatives that overlap", `{"type": "string"}`, `{"oneOf": [{"type": "string"}, {"enum": ["a"]}]}`, "",
			true,
		},
		{
			"a pattern that cannot be read", `{"type": "string"}`, `{"type": "string", "pattern": "^(?!a)"}`, "", true,
		},
		{
			"a pattern of fields that cannot be read",
			`{"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}`,
			`{"type": "object", "properties": {"a": {"type": "string"}}, "patternProperties": {"^(?!b)": {}}}`,
			"", true,
		},
		{
			"a name that may match two patterns",
			`{"type": "object", "patternProperties": {"^ab": {"type": "string"}}, "additionalProperties": false}`,
			`{"type": "object", "patternProperties": {"^a": {"type": "integer"}}}`, "", true,
		},
		{
			"a kind that is not known",
			`{"oneOf": [{"type": "object"}], "discriminator": {"propertyName": "k", "mapping": {"a": "#/Nope"}}}`,
			`{"oneOf": [{"type": "object"}], "discriminator": {"propertyName": "k", "mapping": {"a": "#/Nope"}}}`,
			"", true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := subset.Compare(subset.Request, schema(t, test.inner), schema(t, test.outer))
			var gaps []string
			for _, gap := range result.Gaps {
				gaps = append(gaps, gap.Where()+": "+gap.Values)
			}
			if have := strings.Join(gaps, "\n"); have != test.gaps || result.Unsure != test.unsure {
				t.Errorf("gaps:\n%s\nwant:\n%s\nunsure: %t", have, test.gaps, result.Unsure)
			}
			if result.Proven() != (test.gaps == "" && !test.unsure) {
				t.Error("what is unsure, or has a gap, is not proven")
			}
		})
	}
}
