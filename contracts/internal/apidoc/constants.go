package apidoc

import "github.com/getkin/kin-openapi/openapi3"

// nullConstants returns the places of schemas whose constant is null. kin-openapi reads them as
// schemas without a constant, and leaves only the line of the keyword.
func nullConstants(document *openapi3.T) (places map[string]bool, err error) {
	places = map[string]bool{}
	if !document.IsOpenAPI31OrLater() { // where a schema has no constants
		return places, nil
	}
	err = document.WalkSchemas(func(place string, at *openapi3.SchemaRef) error {
		if schema := at.Value; schema != nil && schema.Const == nil && schema.Origin != nil {
			for _, field := range schema.Origin.Fields {
				places[place] = places[place] || field.Name == "const"
			}
		}
		return nil
	})
	return places, err
}

// restoreNulls has schemas list null as their only value, in place of the constant that was lost.
func restoreNulls(document *openapi3.T, places map[string]bool) error {
	return document.WalkSchemas(func(place string, at *openapi3.SchemaRef) error {
		if places[place] && at.Value != nil {
			at.Value.Enum = []any{nil}
		}
		return nil
	})
}
