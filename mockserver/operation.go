package mockserver

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
)

// operation is what the document says of an operation.
type operation struct {
	*openapi3.Operation
	method, pattern string // by which the router finds it
	plain           []int  // the statuses of answers that have no header but the correlation id
}

// operationsOf returns the operations of a document. The router's patterns are its paths.
// Answers are only plain if it has correlation ids.
func operationsOf(paths *openapi3.Paths, correlationID *openapi3.SchemaRef) []*operation {
	var found []*operation
	for pattern, path := range paths.Map() {
		for method, declared := range path.Operations() {
			o := &operation{Operation: declared, method: method, pattern: pattern}
			for code, answer := range declared.Responses.Map() {
				if plain(answer.Value.Headers, correlationID) {
					status, _ := strconv.Atoi(code)
					o.plain = append(o.plain, status)
				}
			}
			found = append(found, o)
		}
	}
	return found
}

func plain(headers openapi3.Headers, correlationID *openapi3.SchemaRef) bool {
	for _, header := range headers {
		if correlationID == nil || header.Value.Schema.Value != correlationID.Value {
			return false
		}
	}
	return true
}

// vouchesFor reports whether an answer is known to keep the document. Its body has been
// checked, the generated server has chosen status and content type, and its correlation id is
// valid.
func (o *operation) vouchesFor(a *answer) bool {
	return o != nil && a.typed && slices.Contains(o.plain, a.status)
}

// declared returns the operation of a request that has been routed, or nil when it fits
// none.
func (c *contract) declared(r *http.Request) *operation {
	for _, o := range c.operations {
		if o.pattern == r.Pattern && o.method == r.Method {
			return o
		}
	}
	return nil
}

// nodeInPath returns the node that the path of a request names, and "" if there is none
// or its id does not fit the document.
func (c *contract) nodeInPath(r *http.Request) string {
	return fitting(pathParameter(r, c.nodeParameter.Name))
}

// pathParameter returns what stands in the path for a parameter.
func pathParameter(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return text // the router has matched the path as it is decoded
	}
	decoded, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return decoded
}
