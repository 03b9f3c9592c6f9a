package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// ofRefusals refuse what each field may be.
func ofRefusals(op *operation) []sabotage {
	all := []sabotage{
		onRequest(op.id+" refuses large bodies", func(x *exchange) {
			if x.op == op && x.r.ContentLength > largeBody/2 {
				x.reply(http.StatusRequestEntityTooLarge)
			}
		}),
		onRequest(op.id+" does not answer bodies that are too large", func(x *exchange) {
			x.cut = x.op == op && x.r.ContentLength > 2*largeBody
		}),
		onRequest(op.id+" fails at bodies that are too large", func(x *exchange) {
			if x.op == op && x.r.ContentLength > 2*largeBody {
				x.reply(http.StatusInternalServerError)
			}
		}),
	}
	fieldsOf(op.request, nil, func(at pointer, schema *openapi3.Schema) {
		for what, odd := range oddValues(schema) {
			refusal := onRequest(fmt.Sprintf("%s refuses %s %s", op.id, at, what), func(x *exchange) {
				if x.op == op && x.sent != nil && refused(x.sent, at, odd) {
					x.reply(http.StatusUnprocessableEntity)
				}
			})
			refusal.culprit = op.id
			if slices.Contains(strictly, what) {
				refusal.level = Document
			}
			all = append(all, refusal)
		}
	})
	return all
}

// oddity reports whether a value, which may not be there, is what is refused.
type oddity func(value any, there bool) bool

// oddValues are what a field may be and is refused for, by what it is.
func oddValues(schema *openapi3.Schema) map[string]oddity {
	s := flat(schema)
	odd := map[string]oddity{}
	switch {
	case s.is("string"):
		odd = oddTexts(s.schema)
	case s.is("integer"):
		odd["of more than half its maximum"] = func(value any, _ bool) bool {
			number, _ := value.(float64)
			return number > *s.schema.Max/2
		}
		odd["that is 0"] = func(value any, there bool) bool { return there && value == 0.0 }
	case s.is("array"):
		items := func(value any) int { list, _ := value.([]any); return len(list) }
		odd["with more than half of its items"] = func(value any,
			_ bool,
		) bool {
			return items(value) > int(*s.schema.MaxItems)/2
		}
		name := map[bool]string{true: "with an item twice", false: withTwins}[flat(s.schema.Items.Value).is("string")]
		if !s.schema.UniqueItems {
			odd[name] = func(value any, _ bool) bool {
				list, _ := value.([]any)
				return len(list) == 2 && reflect.DeepEqual(list[0], list[1])
			}
		}
		odd["without items"] = func(value any, there bool) bool { return there && value != nil && items(value) == 0 }
	case s.is("object"):
		odd["with unknown fields"] = func(value any, _ bool) bool {
			object, _ := value.(map[string]any)
			for name := range object {
				if _, known := s.properties[name]; !known {
					return true
				}
			}
			return false
		}
	}
	if schema.Nullable || s.schema.Nullable {
		odd["that is null"] = func(value any, there bool) bool { return there && value == nil }
	}
	return odd
}

// What no node sends.
const (
	withUser     = "with user info"
	withPassword = "with a password"
	withTwins    = "with an object twice"
	inRareForm   = "in a rare form"
)

// strictly is what a strict parser may refuse, which hurts no node.
var strictly = []string{withUser, withPassword, withTwins, inRareForm}

func oddTexts(schema *openapi3.Schema) map[string]oddity {
	most := int(*schema.MaxLength)
	odd := map[string]oddity{"of more than half its length": longer(most / 2)}
	that := func(name, example string, is func(text string) bool) {
		if schema.VisitJSONString(example) == nil {
			odd[name] = func(value any, _ bool) bool { text, _ := value.(string); return is(text) }
		}
	}
	that("of spaces alone", " ", func(text string) bool { return text != "" && strings.Trim(text, " ") == "" })
	that("of blanks alone", "\u3000", func(text string) bool { return text != "" && strings.TrimSpace(text) == "" })
	that("with spaces around it", " a ", func(text string) bool { return strings.TrimSpace(text) != text })
	if schema.Format == "uri" {
		that(withUser, "http://a@b", func(text string) bool { return strings.Contains(text, "@") })
		that(withPassword, "http://a:b@b", regexp.MustCompile(`//[^/@]*:[^/@]*@`).MatchString)
	}
	if schema.Format == "date-time" {
		odd[inRareForm] = func(value any, _ bool) bool {
			text, _ := value.(string)
			return slices.Contains(rareTimes, text)
		}
	}
	if schema.Format == "" {
		odd["of its whole length"] = longer(most - 8)
		odd["with odd characters"] = func(value any, _ bool) bool {
			text, _ := value.(string)
			return strings.ContainsAny(text, "._~:é")
		}
	}
	return odd
}

func longer(most int) oddity {
	return func(value any, _ bool) bool {
		text, _ := value.(string)
		return len([]rune(text)) > most
	}
}

// refused reports whether any value in a place is odd.
func refused(body any, at pointer, odd oddity) bool {
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
func fieldsOf(schema *openapi3.Schema, at pointer, visit func(at pointer, schema *openapi3.Schema)) {
	s := flat(schema)
	visit(at, schema)
	if s.is("array") {
		fieldsOf(s.schema.Items.Value, at.to(0), visit)
	}
	for _, name := range slices.Sorted(maps.Keys(s.properties)) {
		fieldsOf(s.properties[name].Value, at.to(name), visit)
	}
}
