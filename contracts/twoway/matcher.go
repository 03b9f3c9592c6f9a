package twoway

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// bodyRules checks the matchers on the parts of a value of some shape.
func (c *checker) bodyRules(pointer string, rules []pactfile.BodyRule, example any, root shape) {
	for _, rule := range rules {
		at := jsonpointer.Join(pointer, rule.Path.String())
		s, known := c.descend(at, rule.Path, root)
		if !known {
			continue
		}
		if name := rule.Path.Misses(example); name != "" {
			c.add(at, 0, "the rule is for nothing: the example has no %s", name)
		}
		for _, matcher := range rule.Matchers {
			if boundsDigits(matcher, rule.Matchers) {
				c.digitsMatch(at, rule.Path.Select(example), matcher)
				continue
			}
			c.matcher(at, s, rule.Path.Select(example), matcher)
		}
	}
}

// descend follows a path down a shape.
func (c *checker) descend(pointer string, path pactfile.Path, s shape) (shape, bool) {
	for _, step := range path.Steps {
		inner := s.field(step.Name)
		if step.Item {
			inner = s.items()
		}
		if inner == nil {
			c.add(pointer, s.line(), "the document has no %s here", describe(step))
			return nil, false
		}
		s = inner
	}
	return s, true
}

func describe(step pactfile.Step) string {
	if step.Item {
		return "array"
	}
	return fmt.Sprintf("field %q", step.Name)
}

// matcher checks that a matcher does not contradict the document about a value, nor the examples.
// Those are the values that the pact has in its place.
func (c *checker) matcher(pointer string, s shape, examples []any, m pactfile.Matcher) {
	types, known := matchedTypes(m)
	if !known {
		c.add(pointer, 0, "nothing is known here of a matcher called %q", m.Match)
		return
	}
	c.examplesFit(pointer, examples, m)
	if len(types) > 0 && !s.allows(types...) {
		c.add(pointer, s.line(), "the matcher %s stands for %s, and the document has %s here", m.Match,
			strings.Join(types, " or "), strings.Join(s.types(), " or "))
		return
	}
	switch m.Match {
	case "arrayContains":
		c.variants(pointer, s, examples, m.Variants)
	case "either":
		c.either(pointer, s, examples, m.Rules)
	case "eachValue":
		for _, inner := range m.Rules {
			c.matcher(pointer, s.values(), inside(examples), inner)
		}
	}
	c.lengths(pointer, s, m)
}

// either checks alternative matchers. What the document has must fit at least one of them, and so
// must each example.
func (c *checker) either(pointer string, s shape, examples []any, alternatives []pactfile.Matcher) {
	each := [][]any{nil}
	for _, example := range examples {
		each = append(each, []any{example})
	}
	for _, one := range each {
		var misfits []string
		for _, m := range alternatives {
			trial := *c
			trial.findings = nil
			trial.matcher(pointer, s, one, m)
			if len(trial.findings) == 0 {
				misfits = nil
				break
			}
			misfits = append(misfits, trial.findings[0].Message)
		}
		if len(misfits) > 0 {
			c.add(pointer, s.line(), "no alternative fits: %s", strings.Join(misfits, "; "))
			return
		}
	}
	for _, m := range alternatives {
		if _, known := matchedTypes(m); !known {
			c.matcher(pointer, s, nil, m)
		}
	}
}

// matchedTypes returns the JSON types that a matcher lets through, and whether the matcher is
// known. There are none when it goes by the type of the example.
func matchedTypes(m pactfile.Matcher) (types []string, known bool) {
	switch m.Match {
	case "type":
		if m.Min != nil || m.Max != nil {
			return []string{openapi3.TypeArray}, true
		}
		return nil, true
	case "equality", "notEmpty", "either":
		return nil, true
	case "integer", "number":
		return []string{openapi3.TypeInteger, openapi3.TypeNumber}, true
	case "decimal": // needs a decimal point, which an integer does not have
		return []string{openapi3.TypeNumber}, true
	case "boolean":
		return []string{openapi3.TypeBoolean}, true
	case "null":
		return []string{openapi3.TypeNull}, true
	case "regex", "include", "date", "time", "datetime", "timestamp", "semver":
		return []string{openapi3.TypeString}, true
	case "arrayContains":
		return []string{openapi3.TypeArray}, true
	case "values", "eachKey", "eachValue":
		return []string{openapi3.TypeArray, openapi3.TypeObject}, true
	}
	return nil, false
}

func (c *checker) variants(pointer string, s shape, examples []any, variants []pactfile.Variant) {
	for i, variant := range variants {
		at := jsonpointer.Join(pointer, "variants", strconv.Itoa(i))
		for _, example := range examples {
			items, _ := example.([]any)
			if variant.Index >= len(items) {
				c.add(at, 0, "the rule is for nothing: the example has no item %d", variant.Index)
				continue
			}
			c.bodyRules(at, variant.Rules, items[variant.Index], s.items())
		}
	}
}

// lengths checks how many items a matcher demands against how many there can be.
func (c *checker) lengths(pointer string, s shape, m pactfile.Matcher) {
	for _, schema := range s {
		if most := schema.MaxItems; m.Min != nil && most != nil && *m.Min > *most {
			c.add(pointer, line(schema.Origin, "maxItems"),
				"the matcher demands at least %d items, and the document has at most %d", *m.Min, *most)
		}
		if least := schema.MinItems; m.Max != nil && *m.Max < least {
			c.add(pointer, line(schema.Origin, "minItems"),
				"the matcher allows at most %d items, and the document has at least %d", *m.Max, least)
		}
	}
}
