package twoway

import (
	"errors"
	"maps"
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// readable returns a schema without the patterns that Go cannot read, such as one with a lookahead.
// What depends on whether one of them matches is left out.
func readable(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	if !hasUnreadable(ref) {
		return ref
	}
	r := rewriting{done: map[*openapi3.Schema]*openapi3.Schema{}, change: func(s *openapi3.Schema) {
		if !isPattern(s.Pattern) {
			s.Pattern = ""
		}
		for name := range s.PatternProperties {
			if !isPattern(name) {
				s.PatternProperties = maps.Clone(s.PatternProperties)
				delete(s.PatternProperties, name)
				s.AdditionalProperties, s.UnevaluatedProperties = openapi3.BoolSchema{}, openapi3.BoolSchema{}
			}
		}
		if hasUnreadable(s.Not) {
			s.Not = nil
		}
		if hasUnreadable(s.If) {
			s.If, s.Then, s.Else = nil, nil, nil
		}
		if hasUnreadable(s.PropertyNames) {
			s.PropertyNames = nil
		}
	}}
	return r.ref(ref)
}

var errFound = errors.New("found")

// hasUnreadable reports whether a schema has a pattern that Go cannot read.
func hasUnreadable(ref *openapi3.SchemaRef) bool {
	if ref == nil {
		return false
	}
	return errors.Is(ref.WalkSubtree(func(_ string, at *openapi3.SchemaRef) error {
		isUnreadable := func(name string) bool { return !isPattern(name) }
		if !isPattern(at.Value.Pattern) ||
			slices.ContainsFunc(slices.Collect(maps.Keys(at.Value.PatternProperties)), isUnreadable) {
			return errFound
		}
		return nil
	}), errFound)
}

func isPattern(expression string) bool {
	_, err := regexp.Compile(expression)
	return err == nil
}
