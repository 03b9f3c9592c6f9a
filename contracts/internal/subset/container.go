package subset

import (
	"maps"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/plural"
)

// array compares arrays.
func (c *comparer) array(inner values, outer *openapi3.Schema) {
	var least uint64
	var most *uint64
	unique := false
	prefix := len(outer.PrefixItems)
	for _, schema := range inner.conjuncts {
		least = max(least, schema.MinItems)
		if schema.MaxItems != nil && (most == nil || *schema.MaxItems < *most) {
			most = schema.MaxItems
		}
		unique = unique || schema.UniqueItems
		prefix = max(prefix, len(schema.PrefixItems))
	}
	if outer.MinItems > least {
		c.add(inner, outer, "minItems", "arrays of fewer than %s", plural.Count(outer.MinItems, "item"))
	}
	if outer.MaxItems != nil && (most == nil || *most > *outer.MaxItems) {
		c.add(inner, outer, "maxItems", "arrays of more than %s", plural.Count(*outer.MaxItems, "item"))
	}
	if outer.UniqueItems && !unique && (most == nil || *most > 1) {
		c.add(inner, outer, "uniqueItems", "arrays that have an item twice")
	}
	for i := range prefix + 1 {
		if most != nil && *most <= uint64(i) {
			break
		}
		step := strconv.Itoa(i)
		if i == prefix {
			step = Items
		}
		c.compare([]string{step}, inner.item(i), itemOf(outer, i))
	}
	c.contains(inner, outer)
	isClosed := func(s *openapi3.Schema) bool { return isFalse(s.UnevaluatedItems.Has) }
	if isClosed(outer) && !slices.ContainsFunc(inner.conjuncts, isClosed) {
		c.add(inner, outer, "unevaluatedItems", "arrays with items that the document does not describe")
	}
}

// item returns the values that the item at an index may have.
func (v values) item(index int) values {
	item := anything()
	for _, schema := range v.conjuncts {
		item = item.with(itemOf(schema, index))
	}
	return item
}

// itemOf returns the schema of the item at an index, nil where a schema does not say.
func itemOf(schema *openapi3.Schema, index int) *openapi3.SchemaRef {
	if index < len(schema.PrefixItems) {
		return schema.PrefixItems[index]
	}
	return schema.Items
}

// object compares objects.
func (c *comparer) object(inner values, outer *openapi3.Schema) {
	c.required(inner, outer)
	c.size(inner, outer)
	names := map[string]bool{}
	for _, schema := range append(slices.Clone(inner.conjuncts), outer) {
		for name := range schema.Properties {
			names[name] = true
		}
	}
	c.objectOf31(inner, outer, names)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.property(inner, outer, name)
	}
	c.additional(inner, outer)
}

// required finds the fields that outer requires.
func (c *comparer) required(inner values, outer *openapi3.Schema) {
	always := c.always(inner)
	for _, name := range outer.Required {
		if !slices.Contains(always, name) && !c.skips(outer.Properties[name]) {
			c.addBelow(name, inner, outer, "required", "objects without it")
		}
	}
}

// always returns the fields that all objects have on their way.
func (c *comparer) always(inner values) []string {
	return slices.DeleteFunc(inner.required(), func(name string) bool {
		skips := func(s *openapi3.Schema) bool { return c.skips(s.Properties[name]) }
		return slices.ContainsFunc(inner.conjuncts, skips)
	})
}

func (v values) required() []string {
	var names []string
	for _, schema := range v.conjuncts {
		names = append(names, schema.Required...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (c *comparer) size(inner values, outer *openapi3.Schema) {
	least := uint64(len(c.always(inner)))
	var most *uint64
	for _, schema := range inner.conjuncts {
		least = max(least, schema.MinProps)
		if schema.MaxProps != nil && (most == nil || *schema.MaxProps < *most) {
			most = schema.MaxProps
		}
	}
	if outer.MinProps > least {
		c.add(inner, outer, "minProperties", "objects of fewer than %s", plural.Count(outer.MinProps, "field"))
	}
	if outer.MaxProps != nil && (most == nil || *most > *outer.MaxProps) {
		c.add(inner, outer, "maxProperties", "objects of more than %s", plural.Count(*outer.MaxProps, "field"))
	}
}

// property compares one field. An object that does not name it, and says nothing of
// the fields that it does not name, counts as one without it.
func (c *comparer) property(inner values, outer *openapi3.Schema, name string) {
	field, present := c.field(inner, name)
	if !present || c.skips(outer.Properties[name]) {
		return
	}
	for _, schema := range inner.conjuncts {
		if c.skips(schema.Properties[name]) {
			return
		}
	}
	wanted := c.described(outer, name)
	for _, want := range wanted {
		c.compare([]string{name}, field, want)
	}
	switch extra := outer.AdditionalProperties; {
	case len(wanted) > 0:
	case extra.Schema != nil:
		c.compare([]string{name}, field, extra.Schema)
	case isFalse(extra.Has):
		c.addBelow(name, inner, outer, "additionalProperties", "objects with this field")
	}
}

// field returns the values that a field may have, and whether it may be there.
func (c *comparer) field(inner values, name string) (field values, present bool) {
	field = anything()
	for _, schema := range inner.conjuncts {
		described := c.described(schema, name)
		for _, ref := range described {
			field, present = field.with(ref), true
		}
		switch extra := schema.AdditionalProperties; {
		case len(described) > 0:
		case extra.Schema != nil:
			field, present = field.with(extra.Schema), true
		case isFalse(extra.Has):
			return values{}, false
		}
	}
	return field, present || slices.Contains(inner.required(), name)
}

// additional compares the fields that the objects do not name.
func (c *comparer) additional(inner values, outer *openapi3.Schema) {
	extra := outer.AdditionalProperties
	if extra.Schema == nil && !isFalse(extra.Has) {
		return
	}
	open, typed := true, anything()
	for _, schema := range inner.conjuncts {
		switch have := schema.AdditionalProperties; {
		case isFalse(have.Has):
			return
		case have.Schema != nil:
			open, typed = false, typed.with(have.Schema)
		}
	}
	switch {
	case extra.Schema == nil:
		c.add(inner, outer, "additionalProperties", "objects with fields that the document does not name")
	case open:
		trial := comparer{direction: c.direction, seen: c.seen}
		if trial.compare(nil, anything(), extra.Schema); len(trial.gaps) > 0 {
			values := trial.gaps[0].Values
			c.addBelow(Additional, inner, outer, "additionalProperties",
				"fields that the document does not name, such as %s", values)
		}
	default:
		c.compare([]string{Additional}, typed, extra.Schema)
	}
}

// skips reports whether a field is no part of what travels this way.
func (c *comparer) skips(ref *openapi3.SchemaRef) bool {
	if ref == nil || ref.Value == nil {
		return false
	}
	return c.direction == Request && ref.Value.ReadOnly || c.direction == Response && ref.Value.WriteOnly
}
