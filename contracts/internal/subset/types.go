package subset

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// jsonType is a type of values. Numbers are two: those without a fraction, and the
// rest.
type jsonType int

const (
	typeNull jsonType = iota
	typeBoolean
	typeInteger
	typeFraction
	typeString
	typeArray
	typeObject
)

func (t jsonType) plural() string {
	return [...]string{"null", "booleans", "integers", "numbers with a fraction", "strings", "arrays", "objects"}[t]
}

// types is a set of them.
type types []jsonType

var allTypes = types{typeNull, typeBoolean, typeInteger, typeFraction, typeString, typeArray, typeObject}

// String lists the types, for a person to read.
func (s types) String() string {
	var names []string
	for _, t := range s {
		if t == typeFraction && s.has(typeInteger) {
			continue
		}
		if t == typeInteger && s.has(typeFraction) {
			names = append(names, "numbers")
			continue
		}
		names = append(names, t.plural())
	}
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " or " + names[last]
	}
	return strings.Join(names, "")
}

func (s types) has(t jsonType) bool { return slices.Contains(s, t) }

func (s types) and(other types) types {
	return slices.DeleteFunc(slices.Clone(s), func(t jsonType) bool { return !other.has(t) })
}

func (s types) minus(other types) types {
	return slices.DeleteFunc(slices.Clone(s), other.has)
}

// typesOf returns the types that a schema itself allows.
func typesOf(schema *openapi3.Schema) types {
	if isFalse(schema.Always) {
		return nil
	}
	if len(schema.Type.Slice()) == 0 {
		return allTypes
	}
	var found types
	for _, name := range schema.Type.Slice() {
		switch name {
		case openapi3.TypeNull:
			found = append(found, typeNull)
		case openapi3.TypeBoolean:
			found = append(found, typeBoolean)
		case openapi3.TypeInteger:
			found = append(found, typeInteger)
		case openapi3.TypeNumber:
			found = append(found, typeInteger, typeFraction)
		case openapi3.TypeString:
			found = append(found, typeString)
		case openapi3.TypeArray:
			found = append(found, typeArray)
		case openapi3.TypeObject:
			found = append(found, typeObject)
		}
	}
	if schema.Nullable {
		found = append(found, typeNull)
	}
	return found
}

// enumOf returns the values that a schema lists, nil where it lists none.
func enumOf(schema *openapi3.Schema) []any {
	if schema.Const != nil {
		return []any{schema.Const}
	}
	return schema.Enum
}

// list returns values as JSON, for a person to read.
func list(values []any) string {
	const most = 5
	var texts []string
	for i, value := range values {
		if i == most {
			texts = append(texts, "and others")
			break
		}
		text, err := json.Marshal(value)
		if err != nil {
			text = []byte("a value that is no JSON")
		}
		texts = append(texts, string(text))
	}
	return strings.Join(texts, ", ")
}

// isBeyond reports whether a schema has keywords that are not compared.
func isBeyond(s *openapi3.Schema) bool {
	return s.DynamicRef != "" || s.ContentSchema != nil ||
		s.UnevaluatedItems.Schema != nil || s.UnevaluatedProperties.Schema != nil
}

// overlap reports whether a value may fit several alternatives, as far as their types
// say.
func overlap(refs openapi3.SchemaRefs) bool {
	var seen types
	for _, ref := range refs {
		have := valuesOf(ref).types()
		if len(have.and(seen)) > 0 {
			return true
		}
		seen = append(seen, have...)
	}
	return false
}
