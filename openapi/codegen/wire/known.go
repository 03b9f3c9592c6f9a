package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// keywords are those that the generated code holds values to, by type, and those that say
// nothing about values.
var keywords = map[string][]string{
	"":                    {"description", "example", "type", "nullable"},
	openapi3.TypeObject:   {"required", "properties"},
	openapi3.TypeArray:    {"items", "minItems", "maxItems", "uniqueItems"},
	openapi3.TypeString:   {"minLength", "maxLength", "pattern", "format", "enum"},
	openapi3.TypeInteger:  {"format", "minimum", "maximum"},
	openapi3.TypeBoolean:  {},
	"a part of an object": {"required"},
}

// known returns an error for a schema that says what the generated code does not check.
func known(s *openapi3.Schema) error {
	if len(s.AllOf) > 0 {
		return knownParts(s)
	}
	var kind string
	if types := s.Type.Slice(); len(types) == 1 {
		kind = types[0]
	}
	if err := knownKeywords(s, kind); err != nil {
		return err
	}
	return knownValues(s, kind)
}

// knownParts takes an allOf of a schema, and parts that do no more than require.
func knownParts(s *openapi3.Schema) error {
	for _, part := range s.AllOf[1:] {
		if err := knownKeywords(part.Value, "a part of an object"); err != nil {
			return err
		}
	}
	alone := *s
	alone.AllOf = nil
	if s.Nullable {
		return fmt.Errorf("nullable besides allOf")
	}
	if err := knownKeywords(&alone, "a part of an object"); err != nil {
		return err
	}
	return known(s.AllOf[0].Value)
}

func knownKeywords(s *openapi3.Schema, kind string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	var said map[string]any
	if err := json.Unmarshal(text, &said); err != nil {
		return err
	}
	for _, keyword := range slices.Sorted(maps.Keys(said)) {
		if _, ok := keywords[kind]; !ok || !slices.Contains(keywords[""], keyword) && !slices.Contains(keywords[kind], keyword) {
			return fmt.Errorf("%q of type %q is not checked", keyword, kind)
		}
	}
	return nil
}

// knownValues takes what the types and limits are that the generated code relies on.
func knownValues(s *openapi3.Schema, kind string) error {
	switch kind {
	case openapi3.TypeObject:
		if len(s.Properties) > 64 {
			return fmt.Errorf("more than 64 properties")
		}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if err := known(s.Properties[name].Value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	case openapi3.TypeArray:
		if s.MaxItems == nil {
			return fmt.Errorf("no maxItems")
		}
		return known(s.Items.Value)
	case openapi3.TypeInteger:
		if s.Min == nil || s.Max == nil {
			return fmt.Errorf("no minimum or maximum")
		}
	case openapi3.TypeString:
		if s.MaxLength == nil && s.Enum == nil {
			return fmt.Errorf("no maxLength")
		}
		if s.Format == "date-time" && (s.MinLength > 0 || s.Pattern != "" || s.Enum != nil) {
			return fmt.Errorf("of a date-time no more than maxLength is checked")
		}
		if !slices.Contains([]string{"", "date-time", "uri"}, s.Format) {
			return fmt.Errorf("format %q is not checked", s.Format)
		}
	}
	return nil
}
