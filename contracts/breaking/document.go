package breaking

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/flatten/allof"
	"github.com/oasdiff/oasdiff/flatten/commonparams"
	oasdiff "github.com/oasdiff/oasdiff/load"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
)

// version is one version of the document, in two equivalent forms.
type version struct {
	api  *openapi3.T       // as it was written, apart from what prepare does
	flat *oasdiff.SpecInfo // without allOf, as oasdiff expects it
	// prefixes are the paths of the servers, which begin the paths of the operations.
	prefixes map[part]string
	// changed are those of operations whose servers have another path in the other version.
	changed map[part]string
}

// load reads a version of the document, and what it says of the calls that nodes answer.
func load(ctx context.Context, source Source) (whole, calls version, err error) {
	api, prefixes, err := prepared(ctx, source)
	if err != nil {
		return whole, calls, err
	}
	// MergeSpec changes its argument, so it gets a copy.
	flat, _, err := prepared(ctx, source)
	if err != nil {
		return whole, calls, err
	}
	// One part of an allOf may declare a field that another part requires. Only the
	// flattened schema shows such a field as required.
	if flat, err = allof.MergeSpec(flat); err != nil {
		return whole, calls, fmt.Errorf("%s: %w", source.Name, err)
	}
	if err := cutArrays(flat); err != nil {
		return whole, calls, fmt.Errorf("%s: %w", source.Name, err)
	}
	calls = newVersion(source.Name, takeCalls(api), takeCalls(flat), nil)
	return newVersion(source.Name, api, flat, prefixes), calls, nil
}

func newVersion(name string, api, flat *openapi3.T, prefixes map[part]string) version {
	spec := &oasdiff.SpecInfo{Url: name, Spec: flat, Version: flat.Info.Version}
	return version{api: api, flat: spec, prefixes: prefixes, changed: map[part]string{}}
}

func prepared(ctx context.Context, source Source) (*openapi3.T, map[part]string, error) {
	api, err := apidoc.Load(ctx, source)
	if err != nil {
		return nil, nil, err
	}
	return api, prepare(api), nil
}

// prepare rewrites a document into an equivalent form that oasdiff compares correctly.
// oasdiff's own options for path item parameters and the case of headers stay off. It returns
// the prefix that the servers give each operation.
func prepare(api *openapi3.T) map[part]string {
	if api.Paths == nil { // OpenAPI 3.1 lets a document have webhooks alone
		api.Paths = openapi3.NewPaths()
	}
	canonicalHeaders(api)
	commonparams.Move(api)
	return moveServers(api)
}

// canonicalHeaders writes header names in canonical case, since their case has no meaning. Nor
// has that of the schemes of the header Authorization. oasdiff can lower the case of names, but
// then its messages show names that nobody wrote.
func canonicalHeaders(api *openapi3.T) {
	if api.Components != nil {
		for _, scheme := range api.Components.SecuritySchemes {
			if scheme.Value.In == openapi3.ParameterInHeader {
				scheme.Value.Name = http.CanonicalHeaderKey(scheme.Value.Name)
			}
			scheme.Value.Scheme = strings.ToLower(scheme.Value.Scheme)
		}
	}
	for _, path := range api.Paths.Map() {
		canonicalParameters(path.Parameters)
		for _, operation := range path.Operations() {
			canonicalParameters(operation.Parameters)
			for _, response := range operation.Responses.Map() {
				headers := openapi3.Headers{}
				for name, header := range response.Value.Headers {
					headers[http.CanonicalHeaderKey(name)] = header
				}
				response.Value.Headers = headers
			}
		}
	}
}

func canonicalParameters(parameters openapi3.Parameters) {
	for _, parameter := range parameters {
		if parameter.Value.In == openapi3.ParameterInHeader {
			parameter.Value.Name = http.CanonicalHeaderKey(parameter.Value.Name)
		}
	}
}
