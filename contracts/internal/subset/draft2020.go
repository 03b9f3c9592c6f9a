package subset

import (
	"maps"
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// The keywords here came with OpenAPI 3.1. What one of them rules out is a gap, unless the
// values are bound by the same keyword, in the same way or more narrowly.

// contains holds arrays against what one of their items has to be.
func (c *comparer) contains(inner values, outer *openapi3.Schema) {
	least, most := contained(outer)
	if outer.Contains == nil || least == 0 && most == nil {
		return
	}
	for _, schema := range inner.conjuncts {
		haveLeast, haveMost := contained(schema)
		enough := haveLeast >= least && c.isWithin(schema.Contains, outer.Contains)
		if few := haveMost != nil && most != nil && *haveMost <= *most &&
			c.isWithin(outer.Contains, schema.Contains); (enough || least == 0) && (few || most == nil) {
			return
		}
	}
	c.add(inner, outer, "contains", "arrays without the items that its \"contains\" asks for")
}

// contained returns how many items have to fit the "contains" of a schema, and how many may;
// nil stands for any number.
func contained(schema *openapi3.Schema) (least uint64, most *uint64) {
	if schema.MinContains != nil {
		return *schema.MinContains, schema.MaxContains
	}
	return 1, schema.MaxContains
}

// isWithin reports whether every value of a schema certainly is one of another.
func (c *comparer) isWithin(inner, outer *openapi3.SchemaRef) bool {
	if inner == nil || outer == nil {
		return outer == nil
	}
	trial := comparer{direction: c.direction, seen: c.seen}
	trial.compare(nil, valuesOf(inner), outer)
	return len(trial.gaps) == 0 && !trial.unsure
}

// condition holds values against an "if", which only the same one is known to imply.
func (c *comparer) condition(inner values, outer *openapi3.Schema) {
	if outer.If == nil || outer.Then == nil && outer.Else == nil {
		return
	}
	for _, schema := range inner.conjuncts {
		if schema.If != nil && c.isWithin(schema.If, outer.If) && c.isWithin(outer.If, schema.If) &&
			c.isWithin(schema.Then, outer.Then) && c.isWithin(schema.Else, outer.Else) {
			return
		}
	}
	c.add(inner, outer, "if", "what its \"if\" rules out")
}

// objectOf31 holds objects against rules for some of their fields; names are those that
// either side names.
func (c *comparer) objectOf31(inner values, outer *openapi3.Schema, names map[string]bool) {
	c.dependent(inner, outer)
	if outer.PropertyNames != nil {
		have := anything().narrow(typeString)
		for _, schema := range inner.conjuncts {
			have = have.with(schema.PropertyNames)
		}
		c.compare([]string{"propertyNames"}, have, outer.PropertyNames)
	}
	for _, pattern := range slices.Sorted(maps.Keys(outer.PatternProperties)) {
		c.compare([]string{pattern}, c.matching(inner, pattern), outer.PatternProperties[pattern])
	}
	c.patterns(inner, outer)
	c.unevaluated(inner, outer, names)
}

// patterns holds fields whose names match a pattern against what outer says of fields that it
// does not describe.
func (c *comparer) patterns(inner values, outer *openapi3.Schema) {
	extra := outer.AdditionalProperties
	for _, schema := range inner.conjuncts {
		for _, pattern := range slices.Sorted(maps.Keys(schema.PatternProperties)) {
			switch {
			case outer.PatternProperties[pattern] != nil:
			case isFalse(extra.Has):
				c.add(inner, outer, "additionalProperties", "objects with fields that match %s", pattern)
			case extra.Schema != nil:
				c.compare([]string{pattern}, c.matching(inner, pattern), extra.Schema)
			}
		}
	}
}

// dependent holds objects against what a field of theirs asks for.
func (c *comparer) dependent(inner values, outer *openapi3.Schema) {
	always := c.always(inner)
	for _, field := range slices.Sorted(maps.Keys(outer.DependentRequired)) {
		for _, name := range outer.DependentRequired[field] {
			asks := func(s *openapi3.Schema) bool { return slices.Contains(s.DependentRequired[field], name) }
			if !slices.Contains(always, name) && !slices.ContainsFunc(inner.conjuncts, asks) {
				c.addBelow(name, inner, outer, "dependentRequired", "objects with `%s` and without it", field)
			}
		}
	}
	for _, field := range slices.Sorted(maps.Keys(outer.DependentSchemas)) {
		asked := outer.DependentSchemas[field]
		asks := func(s *openapi3.Schema) bool {
			return s.DependentSchemas[field] != nil && c.isWithin(s.DependentSchemas[field], asked)
		}
		if !slices.ContainsFunc(inner.conjuncts, asks) {
			c.add(inner, outer, "dependentSchemas", "objects with `%s` that its \"dependentSchemas\" rules out", field)
		}
	}
}

// matching returns the values that fields may have whose names match a pattern.
func (c *comparer) matching(inner values, pattern string) values {
	field := anything()
	for _, schema := range inner.conjuncts {
		switch extra := schema.AdditionalProperties; {
		case schema.PatternProperties[pattern] != nil:
			field = field.with(schema.PatternProperties[pattern])
		case extra.Schema != nil:
			field = field.with(extra.Schema)
		case isFalse(extra.Has):
			c.unsure = c.unsure || len(schema.PatternProperties) > 0 // a name may match two patterns
			return field.with(nothing)
		}
	}
	return field
}

// nothing is the schema that no value fits.
var nothing = (&openapi3.Schema{Always: new(bool)}).NewRef()

// described returns the schemas that a schema has for the field of a name. Those are the one of
// that name and those of all patterns that the name matches.
func (c *comparer) described(schema *openapi3.Schema, name string) openapi3.SchemaRefs {
	var found openapi3.SchemaRefs
	if schema.Properties[name] != nil {
		found = append(found, schema.Properties[name])
	}
	for _, pattern := range slices.Sorted(maps.Keys(schema.PatternProperties)) {
		matches, err := regexp.MatchString(pattern, name)
		c.unsure = c.unsure || err != nil // a pattern that Go cannot read
		if matches {
			found = append(found, schema.PatternProperties[pattern])
		}
	}
	return found
}

// unevaluated holds objects against a schema that takes nothing but what it and its
// parts describe.
func (c *comparer) unevaluated(inner values, outer *openapi3.Schema, names map[string]bool) {
	if !isFalse(outer.UnevaluatedProperties.Has) {
		return
	}
	isClosed := func(s *openapi3.Schema) bool {
		return isFalse(s.UnevaluatedProperties.Has) || isFalse(s.AdditionalProperties.Has)
	}
	if !slices.ContainsFunc(inner.conjuncts, isClosed) {
		c.add(inner, outer, "unevaluatedProperties", "objects with fields that the document does not name")
	}
	known := Fields(outer.NewRef())
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if _, present := c.field(inner, name); present && !known[name] && len(c.described(outer, name)) == 0 {
			c.addBelow(name, inner, outer, "unevaluatedProperties", "objects with this field")
		}
	}
}

func isFalse(b *bool) bool { return b != nil && !*b }
