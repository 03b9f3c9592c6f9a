package schema

import (
	"encoding/json"
	"errors"
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

// Known returns an error, which names the schema and the property, unless all that the
// schemas say of objects is what generated code can hold them to. A generator whose code
// does not check some keyword excepts it.
func Known(refs []*openapi3.SchemaRef, except ...string) error {
	k := known{except: except, seen: map[*openapi3.Schema]bool{}}
	for _, ref := range refs {
		err := k.value(ref)
		if err == nil && !Flatten(ref.Value).Type.Is(openapi3.TypeObject) {
			err = errors.New("not an object")
		}
		if err != nil {
			return fmt.Errorf("schema %s: %w", TypeName(ref), err)
		}
	}
	return nil
}

type known struct {
	except []string
	seen   map[*openapi3.Schema]bool // for those that lead to themselves
}

func (k known) value(ref *openapi3.SchemaRef) error {
	if ref.Ref == "" && Flatten(ref.Value).Type.Is(openapi3.TypeObject) {
		return errors.New("an object that is not under components has no type in Go")
	}
	return k.schema(ref.Value)
}

func (k known) schema(s *openapi3.Schema) error {
	if k.seen[s] {
		return nil
	}
	k.seen[s] = true
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
		if !ok || !slices.Contains(checked, keyword) || slices.Contains(k.except, keyword) {
			return fmt.Errorf("%q of type %q is not checked", keyword, kind)
		}
	}
	return nil
}

// limits takes what the types and limits are that the generated code relies on.
func (k known) limits(s *openapi3.Schema, kind string) error {
	switch kind {
	case openapi3.TypeObject:
		if len(s.Properties) > 64 {
			return fmt.Errorf("more than 64 properties")
		}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if err := k.value(s.Properties[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	case openapi3.TypeArray:
		if s.Items == nil || s.MaxItems == nil {
			return fmt.Errorf("no items or maxItems")
		}
		return k.value(s.Items)
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
