package subset

import (
	"maps"
	"path"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// kinds compares what discriminators say. A kind of objects that outer does not know, or takes
// for something else, is a gap even where some alternative would fit.
func (c *comparer) kinds(inner values, outer *openapi3.Schema) {
	for _, schema := range inner.conjuncts {
		if schema.Discriminator == nil || inner.splitUp[schema] {
			continue
		}
		if outer.Discriminator == nil {
			c.unsure = true
			continue
		}
		field := schema.Discriminator.PropertyName
		if field != outer.Discriminator.PropertyName {
			c.add(inner, outer, "discriminator", "objects that name their kind in `%s`", field)
			continue
		}
		kinds, known := kindsOf(schema), kindsOf(outer)
		for _, name := range slices.Sorted(maps.Keys(kinds)) {
			if known[name] == nil || c.isOther(kinds[name], known[name]) {
				c.add(inner, outer, "discriminator", "objects whose `%s` is %q", field, name)
			}
		}
	}
}

// isOther reports whether a kind of objects is taken for something else. Values of it do not fit,
// or a schema of another name lacks fields that the receiver is to understand. A schema that is
// not known counts as something else than one of another name.
func (c *comparer) isOther(inner, outer *openapi3.SchemaRef) bool {
	if inner.Value == nil || outer.Value == nil { // a mapping to what is no alternative
		c.unsure = true
		return path.Base(inner.Ref) != path.Base(outer.Ref)
	}
	trial := comparer{direction: c.direction, seen: c.seen}
	trial.compare(nil, valuesOf(inner), outer)
	c.unsure = c.unsure || trial.unsure
	if len(trial.gaps) > 0 {
		return true
	}
	sent, understood := Fields(inner), Fields(outer)
	if c.direction == Response {
		sent, understood = understood, sent
	}
	for name := range sent {
		if !understood[name] && path.Base(inner.Ref) != path.Base(outer.Ref) {
			return true
		}
	}
	return false
}

// kindsOf returns the schemas of the kinds that a discriminator distinguishes. An alternative
// that its mapping leaves out goes by the name of its schema.
func kindsOf(schema *openapi3.Schema) map[string]*openapi3.SchemaRef {
	kinds := map[string]*openapi3.SchemaRef{}
	mapped := map[string]bool{}
	alternatives := slices.Concat(schema.OneOf, schema.AnyOf)
	for name, ref := range schema.Discriminator.Mapping {
		target := path.Base(ref.Ref)
		kinds[name], mapped[target] = (*openapi3.SchemaRef)(&ref), true
		for _, alternative := range alternatives {
			if path.Base(alternative.Ref) == target {
				kinds[name] = alternative
			}
		}
	}
	for _, alternative := range alternatives {
		if name := path.Base(alternative.Ref); alternative.Ref != "" && !mapped[name] {
			kinds[name] = alternative
		}
	}
	return kinds
}
