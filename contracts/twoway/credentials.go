package twoway

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// alternative is one way to authenticate: what has to be there at the same time.
type alternative []credential

// credential is something that a request carries for a security scheme.
type credential struct {
	scheme   string // its name in the document
	in, name string
	prefix   string // of its value, as a regular expression; "" for any value
}

// alternativesOf returns the ways to authenticate that a document has. One that takes no
// credentials is empty.
func alternativesOf(api *openapi3.T, security openapi3.SecurityRequirements) []alternative {
	var found []alternative
	for _, requirement := range security {
		var all alternative
		for _, name := range slices.Sorted(maps.Keys(requirement)) {
			if one, known := credentialOf(api, name); known {
				all = append(all, one)
			}
		}
		found = append(found, all)
	}
	return found
}

// credentialOf returns what a request carries for a security scheme, if the document has the
// scheme and it shows in requests.
func credentialOf(api *openapi3.T, scheme string) (credential, bool) {
	if api.Components == nil || api.Components.SecuritySchemes[scheme] == nil {
		return credential{}, false
	}
	described := api.Components.SecuritySchemes[scheme].Value
	switch described.Type {
	case "mutualTLS":
		return credential{}, false
	case "apiKey":
		return credential{scheme: scheme, in: described.In, name: described.Name}, true
	}
	prefix := "bearer" // of OAuth 2 and OpenID Connect
	if described.Type == "http" {
		prefix = regexp.QuoteMeta(described.Scheme)
	}
	return credential{scheme, openapi3.ParameterInHeader, "Authorization", prefix}, true
}

// credentialsOf returns where requests carry the credentials of some alternatives.
func credentialsOf(accepted []alternative) map[string]map[string]*openapi3.Parameter {
	found := map[string]map[string]*openapi3.Parameter{
		openapi3.ParameterInHeader: {}, openapi3.ParameterInQuery: {},
	}
	var prefixes []string
	for _, one := range slices.Concat(accepted...) {
		switch {
		case one.in == openapi3.ParameterInCookie:
			found[openapi3.ParameterInHeader]["Cookie"] = undescribed()
		case one.prefix != "":
			prefixes = append(prefixes, one.prefix)
		default:
			found[one.in][one.name] = undescribed()
		}
	}
	if len(prefixes) > 0 {
		found[openapi3.ParameterInHeader]["Authorization"] = authorization(prefixes)
	}
	return found
}

// authorization returns a header that begins with the name of one of some schemes.
func authorization(schemes []string) *openapi3.Parameter {
	schema := openapi3.NewStringSchema()
	schema.Pattern = "^(?i:" + strings.Join(schemes, "|") + ") "
	return &openapi3.Parameter{Schema: schema.NewRef()}
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
	lacks := func(one credential) bool {
		return valuesOf(carried[one.in], one.name, one.in == openapi3.ParameterInHeader) == nil
	}
	var schemes []string
	for _, each := range op.accepted {
		if !slices.ContainsFunc(each, lacks) {
			return
		}
		schemes = append(schemes, each.String())
	}
	c.add("/request", line(op.spec.Origin, "security"),
		"the request lacks credentials, and the document demands %s", strings.Join(schemes, " or "))
}

func (a alternative) String() string {
	var schemes []string
	for _, one := range a {
		schemes = append(schemes, one.scheme)
	}
	return strings.Join(schemes, " with ")
}
