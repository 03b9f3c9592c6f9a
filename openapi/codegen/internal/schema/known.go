package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
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

// checkKnown returns an error unless all that the schemas say of objects is what generated
// code can hold them to. The error names the schema and the property.
func checkKnown(refs []*openapi3.SchemaRef) error {
	k := known{}
	for _, ref := range refs {
		err := k.value(ref)
		if err == nil && !flatten(ref.Value).Type.Is(openapi3.TypeObject) {
			err = errors.New("not an object")
		}
		if err != nil {
			return fmt.Errorf("schema %s: %w", TypeName(ref), err)
		}
	}
	return nil
}

// known are the schemas that have been looked at: a schema may lead to itself.
type known map[*openapi3.Schema]bool

func (k known) value(ref *openapi3.SchemaRef) error {
	if ref.Ref == "" && flatten(ref.Value).Type.Is(openapi3.TypeObject) {
		return errors.New("an object that is not under components has no type in Go")
	}
	return k.schema(ref.Value)
}

func (k known) schema(s *openapi3.Schema) error {
	if k[s] {
		return nil
	}
	k[s] = true
	if len(s.AllOf) > 0 {
		return k.parts(s)
	}
	var kind string
	if types := s.Type.Slice(); len(types) == 1 {
		kind = types[0]
	}
	if err := k.keywords(s, kind); err != nil {
		return err
	}
	return k.limits(s, kind)
}

// parts takes an allOf of a schema, and parts that do no more than require.
func (k known) parts(s *openapi3.Schema) error {
	for _, part := range s.AllOf[1:] {
		if err := k.keywords(part.Value, "a part of an object"); err != nil {
			return err
		}
	}
	alone := *s
	alone.AllOf = nil
	if s.Nullable {
		return fmt.Errorf("nullable besides allOf")
	}
	if err := k.keywords(&alone, "a part of an object"); err != nil {
		return err
	}
	return k.schema(s.AllOf[0].Value)
}

func (k known) keywords(s *openapi3.Schema, kind string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	var said map[string]any
	if err := json.Unmarshal(text, &said); err != nil {
		return err
	}
	checked, ok := keywords[kind]
	checked = slices.Concat(keywords[""], checked)
	for _, keyword := range slices.Sorted(maps.Keys(said)) {
		if !ok || !slices.Contains(checked, keyword) {
			return fmt.Errorf("%q of type %q is not checked", keyword, kind)
		}
	}
	return nil
}

// limits takes the limits that the generated code relies on.
func (k known) limits(s *openapi3.Schema, kind string) error {
	switch kind {
	case openapi3.TypeObject:
		return k.properties(s)
	case openapi3.TypeArray:
		return k.items(s)
	case openapi3.TypeInteger:
		if s.Min == nil || s.Max == nil {
			return fmt.Errorf("no minimum or maximum")
		}
	case openapi3.TypeString:
		return text(s)
	}
	return nil
}

func (k known) properties(s *openapi3.Schema) error {
	if len(s.Properties) > 64 {
		return fmt.Errorf("more than 64 properties")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		if err := k.value(property); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		flat := flatten(property.Value)
		if flat.Type.Is(openapi3.TypeObject) && (flat.Nullable || !slices.Contains(s.Required, name)) {
			return fmt.Errorf("%s: an object that may be missing is not decoded", name)
		}
	}
	return nil
}

func (k known) items(s *openapi3.Schema) error {
	if s.Items == nil || s.MaxItems == nil {
		return fmt.Errorf("no items or maxItems")
	}
	if err := k.value(s.Items); err != nil {
		return err
	}
	if item := flatten(s.Items.Value); item.Nullable || newValue("", s.Items).Kind != Text &&
		!item.Type.Is(openapi3.TypeObject) {
		return fmt.Errorf("items other than texts and objects are not checked")
	} else if s.UniqueItems && item.Type.Is(openapi3.TypeObject) {
		return fmt.Errorf("uniqueItems of objects is not checked")
	}
	return nil
}

func text(s *openapi3.Schema) error {
	if s.Enum != nil {
		if s.MinLength > 0 || s.MaxLength != nil || s.Pattern != "" || s.Format != "" {
			return fmt.Errorf("besides an enum nothing is checked")
		}
		return nil
	}
	if s.MaxLength == nil {
		return fmt.Errorf("no maxLength")
	}
	if s.Format == "date-time" && (s.MinLength > 0 || s.Pattern != "") {
		return fmt.Errorf("of a date-time no more than maxLength is checked")
	}
	if !slices.Contains([]string{"", "date-time", "uri"}, s.Format) {
		return fmt.Errorf("format %q is not checked", s.Format)
	}
	_, err := regexp.Compile(s.Pattern)
	return err
}
