package mockserver

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
)

// operation is what the document says of an operation.
type operation struct {
	*openapi3.Operation
	plain map[int]bool // the statuses of answers that have no header but the correlation id
}

// route is what the router finds an operation by.
type route struct{ method, pattern string }

// operationsOf returns the operations of a document. The router's patterns are its paths.
func operationsOf(paths *openapi3.Paths, correlationID *openapi3.Schema) map[route]*operation {
	found := map[route]*operation{}
	for pattern, path := range paths.Map() {
		for method, declared := range path.Operations() {
			o := &operation{declared, map[int]bool{}}
			for code, answer := range declared.Responses.Map() {
				status, _ := strconv.Atoi(code)
				o.plain[status] = plain(answer.Value.Headers, correlationID)
			}
			found[route{method, pattern}] = o
		}
	}
	return found
}

func plain(headers openapi3.Headers, correlationID *openapi3.Schema) bool {
	for _, header := range headers {
		if header.Value.Schema.Value != correlationID {
			return false
		}
	}
	return true
}

// vouchesFor reports whether an answer is known to keep the document: its body has been
// checked, the generated server has put the body, the status and the content type
// together, and its correlation id is one that fits.
func (o *operation) vouchesFor(a *answer) bool {
	return o != nil && a.typed && o.plain[a.status]
}

// declared returns the operation of a request that has been routed, or nil when it fits
// none.
func (c *contract) declared(r *http.Request) *operation {
	return c.operations[route{r.Method, r.Pattern}]
}

// nodeInPath returns the node that the path of a request names, and "" if there is none
// or its id does not fit the document.
func (c *contract) nodeInPath(r *http.Request) string {
	id := chi.URLParam(r, c.nodeParameter.Name)
	if r.URL.RawPath != "" { // then the router has matched the path as it is escaped
		id, _ = url.PathUnescape(id)
	}
	return fitting(id)
}
