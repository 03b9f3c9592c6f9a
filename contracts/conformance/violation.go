package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/plural"
)

// violation is one place where a value breaks a schema.
type violation struct{ place, expected, got string }

var index = regexp.MustCompile(`/[0-9]+`)

// violations lists where a value breaks a schema, as the validator found it. An index
// within a list does not make it another place.
func violations(err error) []violation {
	var found []violation
	switch err := err.(type) {
	case openapi3.MultiError:
		for _, member := range err {
			found = append(found, violations(member)...)
		}
	case *openapi3.SchemaError:
		if parts, ok := errors.AsType[openapi3.MultiError](err.Origin); ok {
			return violations(parts)
		}
		place := ""
		for _, step := range err.JSONPointer() {
			place += "/" + step
		}
		got := excerptOf(err.Value)
		if err.SchemaField == "required" {
			got = "none"
		}
		found = append(found, violation{index.ReplaceAllString(place, "/*"), rule(err), got})
	default:
		found = append(found, violation{"", "what the schema says", err.Error()})
	}
	return slices.Compact(found)
}

// rule describes what the schema demands in the place that breaks it.
func rule(err *openapi3.SchemaError) string {
	schema := err.Schema
	switch err.SchemaField {
	case "type", "nullable":
		return strings.Join(schema.Type.Slice(), " or ")
	case "minimum":
		return fmt.Sprintf("%v or more", decimal(*schema.Min))
	case "maximum":
		return fmt.Sprintf("%v or less", decimal(*schema.Max))
	case "minLength":
		return plural.Count(schema.MinLength, "character") + " or more"
	case "maxLength":
		return plural.Count(*schema.MaxLength, "character") + " or fewer"
	case "maxItems":
		return plural.Count(*schema.MaxItems, "item") + " or fewer"
	case "pattern":
		return "text that matches " + schema.Pattern
	case "required":
		return "a value, as it is required"
	case "enum":
		return fmt.Sprintf("one of %v", schema.Enum)
	case "format":
		return "a valid " + schema.Format
	}
	return cmp.Or(err.Reason, "what the schema says")
}

func decimal(number float64) string { return strconv.FormatFloat(number, 'f', -1, 64) }
