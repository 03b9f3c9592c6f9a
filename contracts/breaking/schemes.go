package breaking

import (
	"encoding/json"

	"github.com/getkin/kin-openapi/openapi3"
)

// renameSchemes gives a security scheme of the new version the name of an equal one in the old
// version. It does so in the calls that nodes answer as well. No request contains the name,
// but oasdiff compares by it.
func renameSchemes(before, after, calledAfter version) {
	names := map[string]string{}
	for old, scheme := range schemes(before.api) {
		for young, other := range schemes(after.api) {
			if schemes(after.api)[old] == "" && schemes(before.api)[young] == "" && scheme == other {
				names[young] = old
			}
		}
	}
	for _, api := range []*openapi3.T{after.api, after.flat.Spec, calledAfter.api, calledAfter.flat.Spec} {
		for young, old := range names {
			rename(api, young, old)
		}
	}
}

// schemes returns what the security schemes demand, by name.
func schemes(api *openapi3.T) map[string]string {
	found := map[string]string{}
	if api.Components == nil {
		return found
	}
	for name, ref := range api.Components.SecuritySchemes {
		scheme := *ref.Value
		scheme.Description, scheme.BearerFormat, scheme.Origin, scheme.Extensions = "", "", nil, nil
		if text, err := json.Marshal(&scheme); err == nil {
			found[name] = string(text)
		}
	}
	return found
}

func rename(api *openapi3.T, young, old string) {
	// A document and its calls share their components.
	if scheme, has := api.Components.SecuritySchemes[young]; has {
		api.Components.SecuritySchemes[old] = scheme
		delete(api.Components.SecuritySchemes, young)
	}
	requirements := []openapi3.SecurityRequirements{api.Security}
	for _, path := range api.Paths.Map() {
		for _, operation := range path.Operations() {
			if operation.Security != nil {
				requirements = append(requirements, *operation.Security)
			}
		}
	}
	for _, each := range requirements {
		for _, requirement := range each {
			if scopes, has := requirement[young]; has {
				requirement[old] = scopes
				delete(requirement, young)
			}
		}
	}
}
