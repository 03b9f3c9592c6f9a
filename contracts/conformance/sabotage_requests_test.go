package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// ofRefusals refuse what each field may be.
func ofRefusals(op *operation) []sabotage {
	var all []sabotage
	refuse := func(at pointer, what string, odd func(value any, there bool) bool) {
		all = append(all, sabotage{
			name: fmt.Sprintf("%s refuses %s %s", op.id, at, what), level: Nodes,
			request: func(x *exchange) {
				if x.op == op && x.sent != nil && refused(x.sent, at, odd) {
					x.reply(http.StatusUnprocessableEntity)
				}
			},
		})
	}
	fieldsOf(op.request, nil, func(at pointer, schema *openapi3.Schema, required bool) {
		s := flat(schema)
		if schema.Nullable || s.schema.Nullable {
			refuse(at, "that is null", func(value any, there bool) bool { return there && value == nil })
		}
		switch {
		case s.is("string"):
			most := int(*s.schema.MaxLength)
			refuse(at, "of more than half its length", longer(most/2))
			if s.schema.Format == "" {
				refuse(at, "of its whole length", longer(most-8))
				refuse(at, "with odd characters", func(value any, _ bool) bool {
					text, _ := value.(string)
					return strings.ContainsAny(text, "._~:é")
				})
			}
		case s.is("integer"):
			refuse(at, "of more than half its maximum", func(value any, _ bool) bool {
				number, _ := value.(float64)
				return number > *s.schema.Max/2
			})
			refuse(at, "that is 0", func(value any, there bool) bool { return there && value == 0.0 })
		case s.is("array"):
			refuse(at, "with more than half of its items", func(value any, _ bool) bool {
				items, _ := value.([]any)
				return len(items) > int(*s.schema.MaxItems)/2
			})
			refuse(at, "without items", func(value any, _ bool) bool {
				items, ok := value.([]any)
				return ok && len(items) == 0
			})
		case s.is("object"):
			refuse(at, "with unknown fields", func(value any, _ bool) bool {
				object, _ := value.(map[string]any)
				for name := range object {
					if _, known := s.properties[name]; !known {
						return true
					}
				}
				return false
			})
		}
	})
	all = append(all, sabotage{
		name: op.id + " refuses large bodies", level: Nodes,
		request: func(x *exchange) {
			if x.op == op && x.r.ContentLength > largeBody/2 {
				x.reply(http.StatusRequestEntityTooLarge)
			}
		},
	})
	return all
}

func longer(most int) func(any, bool) bool {
	return func(value any, _ bool) bool {
		text, _ := value.(string)
		return len([]rune(text)) > most
	}
}

// refused reports whether any value in a place is odd.
func refused(body any, at pointer, odd func(any, bool) bool) bool {
	if len(at) == 0 {
		return odd(body, true)
	}
	switch step := at[0].(type) {
	case string:
		object, ok := body.(map[string]any)
		value, there := object[step]
		if len(at) == 1 {
			return ok && odd(value, there)
		}
		return there && refused(value, at[1:], odd)
	default:
		items, _ := body.([]any)
		return slices.ContainsFunc(items, func(item any) bool { return refused(item, at[1:], odd) })
	}
}

// fieldsOf visits a schema and all within it.
func fieldsOf(schema *openapi3.Schema, at pointer, visit func(at pointer, schema *openapi3.Schema, required bool)) {
	s := flat(schema)
	visit(at, schema, true)
	if s.is("array") {
		fieldsOf(s.schema.Items.Value, at.to(0), visit)
	}
	for _, name := range slices.Sorted(maps.Keys(s.properties)) {
		fieldsOf(s.properties[name].Value, at.to(name), visit)
	}
}
