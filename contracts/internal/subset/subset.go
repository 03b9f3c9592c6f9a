// Package subset decides whether every value that one JSON schema allows is allowed by
// another. It returns the kinds of values that are not, as gaps.
package subset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Gap is a kind of values that the inner schema allows and the outer one does not.
type Gap struct {
	Path    []string // to the values: names of properties, Items, Additional
	Values  string   // "strings of more than 8 characters"
	Example string   // one of them where they are strings that a pattern refuses
	Keyword string   // of the outer schema, that refuses them
	Outer   *openapi3.Schema
	Inner   *openapi3.Schema // nil where the inner side says nothing of these values
}

// Steps of a path that are no names of properties.
const (
	Items      = "items"
	Additional = "additionalProperties"
)

// Where returns the path in one text, empty for the whole value.
func (g Gap) Where() string {
	return strings.Join(g.Path, "/")
}

// Direction is which way the values travel. Fields that are read-only are no part of requests,
// and those that are write-only are no part of answers.
type Direction int

const (
	Request Direction = iota
	Response
)

// Result is what Compare found.
type Result struct {
	Gaps []Gap
	// Unsure means that something could not be compared. Then the absence of gaps proves
	// nothing.
	Unsure bool
}

// Proven reports whether every value of the inner schema is one of the outer schema.
func (r Result) Proven() bool {
	return len(r.Gaps) == 0 && !r.Unsure
}

// Compare returns where values of inner are not values of outer. An object schema that
// permits unnamed fields counts as if the objects had none.
func Compare(direction Direction, inner, outer *openapi3.SchemaRef) Result {
	c := comparer{direction: direction, seen: map[string]bool{}}
	c.compare(nil, valuesOf(inner), outer)
	return Result{c.gaps, c.unsure}
}

// comparer collects the gaps.
type comparer struct {
	direction Direction
	seen      map[string]bool // the pairs of schemas that are compared already
	path      []string
	gaps      []Gap
	unsure    bool
}

func (c *comparer) add(inner values, outer *openapi3.Schema, keyword, format string, args ...any) {
	gap := Gap{
		Path: slices.Clone(c.path), Values: fmt.Sprintf(format, args...), Keyword: keyword,
		Outer: outer, Inner: inner.schema(),
	}
	same := func(g Gap) bool { return g.Where() == gap.Where() && g.Values == gap.Values }
	if !slices.ContainsFunc(c.gaps, same) {
		c.gaps = append(c.gaps, gap)
	}
}

// addBelow is add for values one step of the path further down.
func (c *comparer) addBelow(step string, inner values, outer *openapi3.Schema, keyword, format string, args ...any) {
	c.path = append(c.path, step)
	defer func() { c.path = c.path[:len(c.path)-1] }()
	c.add(inner, outer, keyword, format, args...)
}

// compare holds values against a schema, one step of the path further down.
func (c *comparer) compare(step []string, inner values, outer *openapi3.SchemaRef) {
	c.path = append(c.path, step...)
	defer func() { c.path = c.path[:len(c.path)-len(step)] }()
	if outer == nil {
		return
	}
	if outer.Value == nil {
		c.unsure = true
		return
	}
	key := fmt.Sprintf("%s %p", inner.key(), outer.Value)
	if c.seen[key] { // a schema inside itself
		return
	}
	c.seen[key] = true
	defer delete(c.seen, key)
	c.schema(inner, outer.Value)
}

func (c *comparer) schema(inner values, outer *openapi3.Schema) {
	if inner.same(outer) {
		return
	}
	if finite, known := inner.finite(); known {
		c.finite(inner, finite, outer)
		return
	}
	c.kinds(inner, outer)
	if alternatives := inner.split(); len(alternatives) > 0 {
		for _, alternative := range alternatives {
			c.schema(alternative, outer)
		}
		return
	}
	for _, part := range outer.AllOf {
		c.compare(nil, inner, part)
	}
	c.condition(inner, outer)
	c.alternatives(inner, outer, "anyOf", outer.AnyOf)
	c.alternatives(inner, outer, "oneOf", outer.OneOf)
	c.not(inner, outer)
	c.keywords(inner, outer)
}

// keywords holds values against what a schema says itself.
func (c *comparer) keywords(inner values, outer *openapi3.Schema) {
	c.unsure = c.unsure || isBeyond(outer)
	if enum := enumOf(outer); enum != nil && c.areListed(inner, enum) {
		return
	} else if enum != nil {
		c.add(inner, outer, "enum", "other values than %s", list(enum))
		return
	}
	have, allowed := inner.types(), typesOf(outer)
	if lost := have.minus(allowed); len(lost) > 0 {
		c.add(inner, outer, "type", "%s", lost)
	}
	both := have.and(allowed)
	if both.has(typeString) {
		c.text(inner, outer)
	}
	if both.has(typeInteger) || both.has(typeFraction) {
		c.number(inner, outer)
	}
	if both.has(typeArray) {
		c.array(inner, outer)
	}
	if both.has(typeObject) {
		c.object(inner, outer)
	}
}

// finite holds each value by itself against a schema.
func (c *comparer) finite(inner values, finite []any, outer *openapi3.Schema) {
	var refused []any
	for _, value := range finite {
		if !accepts(outer, value) {
			refused = append(refused, value)
		}
	}
	if len(refused) > 0 {
		c.add(inner, outer, "enum", "%s", list(refused))
	}
}

// alternatives holds values against an anyOf or a oneOf, one type of them after the
// other: values of different types may fit different alternatives.
func (c *comparer) alternatives(inner values, outer *openapi3.Schema, keyword string, refs openapi3.SchemaRefs) {
	if len(refs) == 0 {
		return
	}
	if keyword == "oneOf" && len(refs) > 1 && !inner.fromOneOf {
		c.unsure = c.unsure || overlap(refs)
	}
	for _, t := range inner.types() {
		narrowed := inner.narrow(t)
		trials := make([]comparer, 0, len(refs))
		for _, ref := range refs {
			trial := comparer{direction: c.direction, seen: c.seen, path: slices.Clone(c.path)}
			trial.compare(nil, narrowed, ref)
			trials = append(trials, trial)
		}
		best := slices.MinFunc(trials, func(a, b comparer) int {
			return cmp.Or(cmp.Compare(len(a.gaps), len(b.gaps)), cmp.Compare(depth(b.gaps), depth(a.gaps)))
		})
		c.unsure = c.unsure || best.unsure
		switch {
		case len(best.gaps) == 0:
		case len(refs) == 1 || depth(best.gaps) > len(c.path):
			c.gaps = append(c.gaps, best.gaps...)
		default:
			c.add(narrowed, outer, keyword, "%s that fit no alternative", t.plural())
		}
	}
}

// depth returns the length of the shortest path.
func depth(gaps []Gap) int {
	least := 0
	for i, gap := range gaps {
		if i == 0 || len(gap.Path) < least {
			least = len(gap.Path)
		}
	}
	return least
}

// not holds values against what a schema rules out.
func (c *comparer) not(inner values, outer *openapi3.Schema) {
	if outer.Not == nil || outer.Not.Value == nil {
		return
	}
	for _, schema := range inner.conjuncts {
		if schema.Not != nil && c.isWithin(outer.Not, schema.Not) {
			return
		}
	}
	ruledOut := valuesOf(outer.Not)
	if len(inner.types().and(ruledOut.types())) == 0 {
		return
	}
	finite, known := ruledOut.finite()
	if !known {
		c.add(inner, outer, "not", "what its \"not\" rules out")
		return
	}
	var lost []any
	for _, value := range finite {
		if inner.accept(value) {
			lost = append(lost, value)
		}
	}
	if len(lost) > 0 {
		c.add(inner, outer, "not", "%s", list(lost))
	}
}
