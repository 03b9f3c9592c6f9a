package twoway

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// authorization returns a header that begins with the name of one of some schemes.
func authorization(schemes []string) *openapi3.Parameter {
	schema := openapi3.NewStringSchema()
	schema.Pattern = "^(?i:" + strings.Join(schemes, "|") + ") "
	return &openapi3.Parameter{Schema: schema.NewRef()}
}

// credentialsOf returns where requests carry what the security schemes of the operation
// demand.
func credentialsOf(api *openapi3.T, security openapi3.SecurityRequirements) map[string]map[string]*openapi3.Parameter {
	found := map[string]map[string]*openapi3.Parameter{
		openapi3.ParameterInHeader: {}, openapi3.ParameterInQuery: {},
	}
	var schemes []string
	for _, requirement := range security {
		for name := range requirement {
			ref := schemeOf(api, name)
			switch {
			case ref == nil:
			case ref.Value.Type == "apiKey" && ref.Value.In == openapi3.ParameterInCookie:
				found[openapi3.ParameterInHeader]["Cookie"] = text()
			case ref.Value.Type == "apiKey":
				found[ref.Value.In][ref.Value.Name] = text()
			case ref.Value.Type == "http":
				schemes = append(schemes, regexp.QuoteMeta(ref.Value.Scheme))
			default: // OAuth 2 and OpenID Connect
				schemes = append(schemes, "bearer")
			}
		}
	}
	if len(schemes) > 0 {
		found[openapi3.ParameterInHeader]["Authorization"] = authorization(schemes)
	}
	return found
}

// schemeOf returns a security scheme of the document, nil where it has none of the name.
func schemeOf(api *openapi3.T, name string) *openapi3.SecuritySchemeRef {
	if api.Components == nil {
		return nil
	}
	return api.Components.SecuritySchemes[name]
}

// alternative is one way to authenticate: what has to be there at the same time.
type alternative []credential

// credential is something that a request carries for a security scheme.
type credential struct{ scheme, in, name string }

// alternativesOf returns the ways to authenticate that a document demands, none where it takes
// requests without credentials.
func alternativesOf(api *openapi3.T, security openapi3.SecurityRequirements) []alternative {
	var found []alternative
	for _, requirement := range security {
		var all alternative
		for _, name := range slices.Sorted(maps.Keys(requirement)) {
			if ref := schemeOf(api, name); ref != nil && ref.Value.Type == "apiKey" {
				all = append(all, credential{name, ref.Value.In, ref.Value.Name})
			} else if ref != nil && ref.Value.Type != "mutualTLS" {
				all = append(all, credential{name, openapi3.ParameterInHeader, "Authorization"})
			}
		}
		if len(all) == 0 {
			return nil
		}
		found = append(found, all)
	}
	return found
}

// unauthorized finds a request without the credentials that its success takes.
func (c *checker) unauthorized(op *operation) {
	if c.interaction.Response.Status >= http.StatusBadRequest || len(op.accepted) == 0 {
		return
	}
	request := &c.interaction.Request
	carried := map[string]map[string][]string{
		openapi3.ParameterInHeader: request.Headers,
		openapi3.ParameterInQuery:  request.Query,
		openapi3.ParameterInCookie: cookies(request.Headers),
	}
	lacks := func(one credential) bool { return valuesOf(carried[one.in], one.name) == nil }
	var schemes []string
	for _, each := range op.accepted {
		if !slices.ContainsFunc(each, lacks) {
			return
		}
		schemes = append(schemes, each.String())
	}
	c.add("/request", line(op.spec.Origin, "security"), "there are no credentials, and the document demands %s",
		strings.Join(schemes, " or "))
}

func (a alternative) String() string {
	var schemes []string
	for _, one := range a {
		schemes = append(schemes, one.scheme)
	}
	return strings.Join(schemes, " with ")
}
