package twoway

import (
	"errors"
	"regexp"

	"github.com/getkin/kin-openapi/openapi3"
)

var errFound = errors.New("found")

// hasKeywordsOf31 reports whether a schema has keywords that came with OpenAPI 3.1. They need a
// validator of their own, which has plainer messages for the others.
func hasKeywordsOf31(ref *openapi3.SchemaRef) bool {
	return errors.Is(ref.WalkSubtree(func(_ string, at *openapi3.SchemaRef) error {
		s := at.Value
		parts := len(s.PrefixItems) + len(s.PatternProperties) + len(s.DependentSchemas) + len(s.DependentRequired)
		if s.Const != nil || parts > 0 || s.Contains != nil || s.PropertyNames != nil || s.If != nil ||
			s.UnevaluatedItems.Has != nil || s.UnevaluatedProperties.Has != nil {
			return errFound
		}
		return nil
	}), errFound)
}

// readablePatterns leaves out the patterns that Go cannot read, such as one with a lookahead.
func readablePatterns() openapi3.SchemaValidationOption {
	return openapi3.SetSchemaRegexCompiler(func(expression string) (openapi3.RegexMatcher, error) {
		if compiled, err := regexp.Compile(expression); err == nil {
			return compiled, nil
		}
		return regexp.MustCompile(""), nil
	})
}
