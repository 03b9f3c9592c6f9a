package apidoc

import "github.com/getkin/kin-openapi/openapi3"

// Locate returns the place of a field, or else the place where its object begins. It is the
// zero value for an object that no file has.
func Locate(origin *openapi3.Origin, field string) openapi3.Location {
	if origin == nil {
		return openapi3.Location{}
	}
	if at, found := origin.Fields.Lookup(field); found || origin.Key == nil {
		return at
	}
	return *origin.Key
}
