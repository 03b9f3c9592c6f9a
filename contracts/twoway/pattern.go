package twoway

import (
	"maps"
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
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

// hasUnreadable reports whether a schema has a pattern that Go cannot read.
func hasUnreadable(ref *openapi3.SchemaRef) bool {
	if ref == nil {
		return false
	}
	return apidoc.HasAny(ref, func(s *openapi3.Schema) bool {
		isUnreadable := func(name string) bool { return !isPattern(name) }
		return !isPattern(s.Pattern) ||
			slices.ContainsFunc(slices.Collect(maps.Keys(s.PatternProperties)), isUnreadable)
	})
}

func isPattern(expression string) bool {
	_, err := regexp.Compile(expression)
	return err == nil
}
