package conformance

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// whole returns a body with every field of a schema, each with the value of its example. Where a schema
// within comes again the body ends: such a field is left out, and a list of such items is empty. It
// reports false for a schema that has no such end.
func whole(schema *openapi3.Schema, within ...*openapi3.Schema) (any, bool) {
	if slices.Contains(within, schema) {
		return nil, false
	}
	within = append(slices.Clip(within), schema)
	s := flat(schema)
	switch {
	case s.is("object"):
		body := map[string]any{}
		for name, property := range s.properties {
			value, ends := whole(property.Value, within...)
			if ends {
				body[name] = value
			} else if slices.Contains(s.required, name) {
				return nil, false
			}
		}
		return body, true
	case s.is("array") && s.schema.Items != nil:
		item, ends := whole(s.schema.Items.Value, within...)
		if !ends {
			return []any{}, s.schema.MinItems == 0
		}
		return []any{item}, true
	case schema.Example != nil:
		return schema.Example, true
	case s.schema.Example == nil && s.is("array"):
		return []any{}, true
	}
	return s.schema.Example, true
}

// pointer leads to a place within a body.
type pointer []any // names of fields, and indices

// String returns a JSON pointer in which every index is written as *.
func (p pointer) String() string {
	var text strings.Builder
	for _, step := range p {
		if name, ok := step.(string); ok {
			text.WriteString("/" + name)
		} else {
			text.WriteString("/*")
		}
	}
	return text.String()
}

func (p pointer) to(step any) pointer { return append(slices.Clone(p), step) }

// in returns what is in a place of a body that has this place.
func in(body any, at pointer) any {
	for _, step := range at {
		switch step := step.(type) {
		case string:
			object, _ := body.(map[string]any)
			body = object[step]
		case int:
			items, _ := body.([]any)
			body = items[step]
		}
	}
	return body
}

// absent stands for a field that is not there.
type absent struct{}

// with returns a copy of a body that has another value in one place.
func with(body any, at pointer, value any) any {
	if len(at) == 0 {
		return value
	}
	switch step := at[0].(type) {
	case string:
		object, _ := body.(map[string]any)
		changed := maps.Clone(object)
		if changed == nil {
			changed = map[string]any{}
		}
		changed[step] = with(object[step], at[1:], value)
		if changed[step] == any(absent{}) {
			delete(changed, step)
		}
		return changed
	case int:
		items, _ := body.([]any)
		changed := slices.Clone(items)
		changed[step] = with(items[step], at[1:], value)
		return changed
	}
	return body
}

// encode returns a body as JSON, without needless escapes. It ignores the error, because
// every body built here can be encoded.
func encode(body any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
	return bytes.TrimSpace(text.Bytes())
}
