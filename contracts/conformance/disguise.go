package conformance

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// lookalikes are texts that pass for values of another type, or for another spelling of the same.
var lookalikes = []string{"007", "1e3", "0x10", "true", "null", "v0.1.0"}

// disguises are bodies in which every text is a lookalike that may be one.
func disguises(schema *openapi3.Schema, plain any) []variant {
	var found []variant
	for _, text := range lookalikes {
		found = append(found, variant{rule: "texts like " + text, body: disguised(schema, plain, nil, text)})
	}
	return found
}

// disguised puts a text in each place of a body that holds a text and may hold this one.
func disguised(schema *openapi3.Schema, body any, at pointer, text string) any {
	switch value := in(body, at).(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			body = disguised(schema, body, at.to(name), text)
		}
	case []any:
		for i := range value {
			body = disguised(schema, body, at.to(i), text)
		}
	case string:
		if changed := with(body, at, text); schema.VisitJSON(changed, openapi3.VisitAsRequest()) == nil {
			return changed
		}
	}
	return body
}
