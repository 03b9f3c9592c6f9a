package spec

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
	"github.com/llama-orch/node-registration/internal/nearest"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/drift"
)

// Malformed returns the departure that is a body which is not JSON.
func Malformed(body []byte, err error) drift.Departure {
	got := err.Error()
	if len(body) == 0 {
		got = "nothing"
	}
	return drift.Departure{Kind: drift.Malformed, Expected: "must be JSON", Got: got}
}

// Twice returns the departures that are fields which an object has more than once.
func Twice(pointers []string) []drift.Departure {
	var found []drift.Departure
	for _, pointer := range pointers {
		found = append(found, drift.Departure{
			Pointer: pointer, Kind: drift.Twice,
			Expected: "must be there once", Got: "more than one, the last one counts",
		})
	}
	return found
}

// Departures lists how a body departs from the contract, each way once, however many
// items of an array go it. Of each sort it lists as many as a problem would.
// Names and texts that a client made up are repeated as quote lets them be.
func (d *Document) Departures(schema *Schema, body any, broken error, quote func(string) string) []drift.Departure {
	var found []drift.Departure
	if broken != nil {
		found = d.breaches(broken, quote)
	}
	room := d.MaxViolations
	schema.unknown(body, func(in *Schema, name string) bool {
		departure := departs(in, quote(name))
		if !slices.Contains(found, departure) {
			found = append(found, departure)
			room--
		}
		return room > 0
	})
	return found
}

// breaches lists the ways in which a body breaks the contract, given what the validator found.
func (d *Document) breaches(broken error, quote func(string) string) []drift.Departure {
	var found []drift.Departure
	walk(broken, func(broken *openapi3.SchemaError) bool {
		at := folded(pointer(broken))
		known := func(other drift.Departure) bool { return other.Pointer == at && other.Kind == broken.SchemaField }
		if !slices.ContainsFunc(found, known) {
			found = append(found, breach(at, broken, quote))
		}
		return len(found) < d.MaxViolations
	})
	return found
}

func breach(at string, broken *openapi3.SchemaError, quote func(string) string) drift.Departure {
	expected, got := explain(broken, quote)
	switch field := broken.SchemaField; {
	case field == "required":
		expected, got = "must be there", "nothing"
	case got == "" || field == "type":
		got = shown(broken.Value, quote)
	}
	return drift.Departure{Pointer: at, Kind: broken.SchemaField, Expected: expected, Got: got}
}

// userInfo is the part of a URL that may have a password.
var userInfo = regexp.MustCompile(`//[^/?#\s]*@`)

// shown returns a value for people to read. A text goes through quote, and loses the passwords in its
// URLs. An array or object is shown by its size alone, since it can be long.
func shown(value any, quote func(string) string) string {
	switch value := value.(type) {
	case bool:
		return strconv.FormatBool(value)
	case string:
		return InQuotes(userInfo.ReplaceAllString(quote(value), "//***@"))
	case []any:
		return "an array of " + plural.Count(len(value), "item")
	case map[string]any:
		return "an object of " + plural.Count(len(value), "field")
	default:
		return describe(value)
	}
}

// folded returns a pointer with * for every index. No field that the contract names
// looks like an index.
func folded(pointer string) string {
	steps := strings.Split(pointer, "/")
	for i, step := range steps {
		if step != "" && strings.Trim(step, "0123456789") == "" {
			steps[i] = "*"
		}
	}
	return strings.Join(steps, "/")
}

// departs returns the departure that is an unknown field of an object. The name can be
// anything.
func departs(in *Schema, name string) drift.Departure {
	expected := "must be a field that the contract names"
	if near := nearest.Name(name, slices.Sorted(maps.Keys(in.fields))); near != "" {
		expected += ", perhaps " + InQuotes(near)
	}
	return drift.Departure{
		Pointer:  in.pointer + "/" + jsonpointer.Token(name),
		Kind:     drift.Unknown,
		Expected: expected,
		Got:      InQuotes(name),
	}
}
