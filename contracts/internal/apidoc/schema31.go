package apidoc

import (
	"errors"

	"github.com/getkin/kin-openapi/openapi3"
)

var errFound = errors.New("found")

// IsOf31 reports whether a schema, or one inside it, has keywords that came with OpenAPI 3.1.
// kin-openapi checks values against those with a validator of its own.
func IsOf31(ref *openapi3.SchemaRef) bool {
	return HasAny(ref, func(s *openapi3.Schema) bool {
		parts := len(s.PrefixItems) + len(s.PatternProperties) + len(s.DependentSchemas) + len(s.DependentRequired)
		return s.Const != nil || parts > 0 || s.Contains != nil || s.PropertyNames != nil || s.If != nil ||
			isSet(s.UnevaluatedItems) || isSet(s.UnevaluatedProperties)
	})
}

// HasAny reports whether a test holds for a schema, or for one inside it.
func HasAny(ref *openapi3.SchemaRef, holds func(*openapi3.Schema) bool) bool {
	return errors.Is(ref.WalkSubtree(func(_ string, at *openapi3.SchemaRef) error {
		if holds(at.Value) {
			return errFound
		}
		return nil
	}), errFound)
}

func isSet(b openapi3.BoolSchema) bool { return b.Has != nil || b.Schema != nil }
