package spec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
	"github.com/llama-orch/node-registration/internal/nearest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Violations lists where a value breaks a schema, given what the validator found. It stops when
// there are as many as a problem has room for. Texts that a client made up are repeated as quote lets
// them be.
func (d *Document) Violations(broken error, quote func(string) string) []nodeapi.Violation {
	var found []nodeapi.Violation
	walk(broken, func(broken *openapi3.SchemaError) bool {
		says := foreign.Cut(detail(broken, quote), d.maxViolationDetail)
		violation := nodeapi.Violation{Pointer: pointer(broken), Detail: says}
		// Several parts of an allOf may object to the same thing.
		if !slices.Contains(found, violation) {
			found = append(found, violation)
		}
		return len(found) < d.MaxViolations
	})
	return found
}

// walk visits the leaves of the validator's tree of errors, until visit returns false.
// The branches are lists, and values that break several parts of an allOf.
func walk(err error, visit func(*openapi3.SchemaError) bool) bool {
	switch err := err.(type) {
	case openapi3.MultiError:
		for _, member := range err {
			if !walk(member, visit) {
				return false
			}
		}
		return true
	case *openapi3.SchemaError:
		if parts, ok := errors.AsType[openapi3.MultiError](err.Origin); ok {
			return walk(parts, visit)
		}
		return visit(err)
	default:
		return visit(&openapi3.SchemaError{Reason: err.Error()})
	}
}

// pointer returns the JSON pointer (RFC 6901) to what is broken.
func pointer(broken *openapi3.SchemaError) string {
	steps := broken.JSONPointer()
	if name, ok := unknown(broken); ok {
		steps = append(steps, foreign.Cut(name, longestName))
	}
	return jsonpointer.Join("", steps...)
}

// longestName is how many characters of an unknown name are shown.
const longestName = 128

// unknown returns the name of an unknown field of a closed object, if that is the violation.
// The validator has it in words alone.
func unknown(broken *openapi3.SchemaError) (string, bool) {
	quoted, ok := strings.CutPrefix(broken.Reason, "property ")
	quoted, ends := strings.CutSuffix(quoted, " is unsupported")
	name, err := strconv.Unquote(quoted)
	return name, ok && ends && err == nil && broken.SchemaField == "properties"
}

// unknownField says which field was probably meant, or which ones there are.
func unknownField(name string, schema *openapi3.Schema) string {
	known := slices.Sorted(maps.Keys(schema.Properties))
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("is no field here, perhaps %q is meant", near)
	}
	return "is no field here, but " + strings.Join(known, ", ")
}

// detail says what is wrong in one place, and what would be right.
func detail(broken *openapi3.SchemaError, quote func(string) string) string {
	expected, got := explain(broken, quote)
	if got == "" {
		return expected
	}
	return expected + ", not " + got
}

// explain says what would be right in one place, and what is there instead unless the
// former says it all.
func explain(broken *openapi3.SchemaError, quote func(string) string) (expected, got string) {
	schema, value := broken.Schema, broken.Value
	if name, ok := unknown(broken); ok {
		return unknownField(name, schema), ""
	}
	switch broken.SchemaField {
	case "type", "nullable":
		return "must be of type " + strings.Join(schema.Type.Slice(), " or "), instead(schema, value, quote)
	case "minimum":
		return fmt.Sprintf("must be %s or more", decimal(*schema.Min)), describe(value)
	case "maximum":
		return fmt.Sprintf("must be %s or less", decimal(*schema.Max)), describe(value)
	case "minLength":
		return fmt.Sprintf("must have a length of %d or more", schema.MinLength), strconv.Itoa(length(value))
	case "maxLength":
		return fmt.Sprintf("must have a length of %d or less", *schema.MaxLength), strconv.Itoa(length(value))
	case "maxItems":
		return fmt.Sprintf("must have %d items or fewer", *schema.MaxItems), strconv.Itoa(length(value))
	case "uniqueItems":
		return "must have no duplicate items", ""
	case "pattern":
		return "must match " + schema.Pattern + example(schema, ", as %q does"), ""
	case "format":
		return "must be a valid " + schema.Format + example(schema, ", such as %s"), ""
	default:
		return broken.Reason, ""
	}
}

// wanted says what would be right in the first place that is broken.
func wanted(broken error) (says string) {
	walk(broken, func(broken *openapi3.SchemaError) bool {
		says, _ = explain(broken, asItIs)
		return false
	})
	return says
}

// example returns the schema's example in words, and "" if it has none.
func example(schema *openapi3.Schema, words string) string {
	switch example := schema.Example.(type) {
	case nil:
		return ""
	case float64:
		return fmt.Sprintf(words, decimal(example))
	default:
		return fmt.Sprintf(words, fmt.Sprint(example))
	}
}

// longestValue is how many characters of a text are shown that is there instead of a number or
// a boolean.
const longestValue = 40

// instead describes a value of the wrong type. What should be a number or a boolean and is not is
// shown itself. In place of a list or an object there could be a token. A text goes through quote
// before it is cut: what a cut leaves of a credential could not be recognised.
func instead(schema *openapi3.Schema, value any, quote func(string) string) string {
	if schema.Type.Includes(openapi3.TypeArray) || schema.Type.Includes(openapi3.TypeObject) {
		return describe(value)
	}
	switch value := value.(type) {
	case bool:
		return strconv.FormatBool(value)
	case string:
		return InQuotes(foreign.Cut(foreign.Line(quote(value)), longestValue))
	default:
		return describe(value)
	}
}

// describe says what a value is, without repeating what could be long.
func describe(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		return decimal(value)
	default:
		return "a number out of range"
	}
}

func length(value any) int {
	if items, ok := value.([]any); ok {
		return len(items)
	}
	text, _ := value.(string)
	return utf8.RuneCountInString(text)
}

// decimal writes a number as people do, as long as that is not long.
func decimal(number float64) string {
	if text := strconv.FormatFloat(number, 'f', -1, 64); len(text) <= 20 {
		return text
	}
	return strconv.FormatFloat(number, 'g', -1, 64)
}

// InQuotes returns a text in quotes, safe to show on one line: a terminal shows it the way that the
// control API states it.
func InQuotes(text string) string { return `"` + foreign.Line(text) + `"` }
