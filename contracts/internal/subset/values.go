package subset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
)

// values is the set of values that fit all of its schemas. The parts of an allOf are
// listed as schemas of their own.
type values struct {
	conjuncts []*openapi3.Schema
	splitUp   map[*openapi3.Schema]bool // whose alternatives have been chosen from
	fromOneOf bool
}

func valuesOf(ref *openapi3.SchemaRef) values { return anything().with(ref) }

// anything returns all values that there are.
func anything() values { return values{splitUp: map[*openapi3.Schema]bool{}} }

// with returns the values that fit another schema besides.
func (v values) with(ref *openapi3.SchemaRef) values {
	if ref == nil || ref.Value == nil || slices.Contains(v.conjuncts, ref.Value) {
		return v
	}
	v.conjuncts = append(slices.Clone(v.conjuncts), ref.Value)
	for _, part := range ref.Value.AllOf {
		v = v.with(part)
	}
	return v
}

// narrow returns the values that are of one type.
func (v values) narrow(t jsonType) values { return v.with(ofType[t]) }

// ofType are the schemas of the types. There is one of each, so that a schema inside
// itself is known by what it was narrowed to before.
var ofType = [...]*openapi3.SchemaRef{
	typeNull:     {Value: &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeNull}}},
	typeBoolean:  {Value: openapi3.NewBoolSchema()},
	typeInteger:  {Value: openapi3.NewIntegerSchema()},
	typeFraction: {Value: &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeNumber}}},
	typeString:   {Value: openapi3.NewStringSchema()},
	typeArray:    {Value: &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeArray}}},
	typeObject:   {Value: &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeObject}}},
}

// schema returns the one that stands for the values in a message.
func (v values) schema() *openapi3.Schema {
	if len(v.conjuncts) == 0 {
		return nil
	}
	return v.conjuncts[0]
}

func (v values) key() string {
	var key strings.Builder
	for _, schema := range v.conjuncts {
		fmt.Fprintf(&key, "%p ", schema)
	}
	return key.String()
}

// same reports whether the values fit a schema because they are defined by it.
func (v values) same(outer *openapi3.Schema) bool {
	return slices.Contains(v.conjuncts, outer)
}

func (v values) types() types {
	found := allTypes
	for _, schema := range v.conjuncts {
		found = found.and(typesOf(schema))
		if unit := unitOf(schema); unit != nil && unit.IsInt() {
			found = found.minus(types{typeFraction})
		}
	}
	return found
}

// accept reports whether a value is one of them.
func (v values) accept(value any) bool {
	for _, schema := range v.conjuncts {
		if !accepts(schema, value) {
			return false
		}
	}
	return true
}

// accepts reports whether a value fits a schema. To kin-openapi a schema without a type
// refuses null.
func accepts(schema *openapi3.Schema, value any) bool {
	if value != nil && apidoc.IsOf31(schema.NewRef()) {
		return schema.VisitJSON(value, openapi3.EnableJSONSchema2020()) == nil
	}
	if value != nil {
		return schema.VisitJSON(value) == nil
	}
	if enum := enumOf(schema); enum != nil && !slices.Contains(enum, nil) {
		return false
	}
	fits := func(ref *openapi3.SchemaRef) bool { return ref.Value == nil || accepts(ref.Value, nil) }
	misfits := func(ref *openapi3.SchemaRef) bool { return !fits(ref) }
	return typesOf(schema).has(typeNull) && !slices.ContainsFunc(schema.AllOf, misfits) &&
		(len(schema.AnyOf) == 0 || slices.ContainsFunc(schema.AnyOf, fits)) &&
		(len(schema.OneOf) == 0 || slices.ContainsFunc(schema.OneOf, fits)) &&
		(schema.Not == nil || misfits(schema.Not))
}

// finite returns the values one by one where some list has them.
func (v values) finite() (found []any, known bool) {
	for _, schema := range v.conjuncts {
		if enum := enumOf(schema); enum != nil {
			for _, value := range enum {
				if v.accept(value) {
					found = append(found, value)
				}
			}
			return found, true
		}
	}
	for _, t := range v.types() {
		switch t {
		case typeNull:
			found = append(found, nil)
		case typeBoolean:
			found = append(found, true, false)
		default:
			return nil, false
		}
	}
	return found, true
}

// split returns the values once for each alternative of an anyOf or a oneOf, none
// where there are no alternatives.
func (v values) split() (alternatives []values) {
	for _, schema := range v.conjuncts {
		refs := append(slices.Clone(schema.AnyOf), schema.OneOf...)
		if len(refs) == 0 || v.splitUp[schema] {
			continue
		}
		for _, ref := range refs {
			alternative := v.with(ref)
			alternative.fromOneOf = v.fromOneOf || len(schema.OneOf) > 0
			alternative.splitUp = maps.Clone(v.splitUp)
			alternative.splitUp[schema] = true
			if len(alternative.types()) > 0 {
				alternatives = append(alternatives, alternative)
			}
		}
		return alternatives
	}
	return nil
}
