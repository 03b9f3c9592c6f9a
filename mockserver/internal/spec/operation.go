package spec

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/internal/bind"
)

// Operation is what a document states of an operation.
type Operation struct {
	ID      string
	Pattern string             // the router's, which is the path in the document
	Bodies  map[string]*Schema // of requests, by content type; nil if a request has no body

	method     string
	parameters openapi3.Parameters
	answers    func() map[string]*answer // by code; made when they are first needed
	plain      []int                     // the statuses of answers that have no header but the correlation id
}

// operationsOf returns the operations of a document. Answers are only plain if it has
// correlation ids.
func operationsOf(paths *openapi3.Paths, correlationID *openapi3.Schema) []*Operation {
	var found []*Operation
	for pattern, path := range paths.Map() {
		for method, operation := range path.Operations() {
			o := &Operation{
				ID: operation.OperationID, Pattern: pattern, method: method,
				parameters: slices.Concat(path.Parameters, operation.Parameters),
				answers:    sync.OnceValue(func() map[string]*answer { return answersOf(operation.Responses) }),
			}
			if operation.RequestBody != nil {
				o.Bodies = map[string]*Schema{}
				for contentType, body := range operation.RequestBody.Value.Content {
					o.Bodies[contentType] = schemaOf(body.Schema.Value, "")
				}
			}
			for code, answer := range operation.Responses.Map() {
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

func plain(headers openapi3.Headers, correlationID *openapi3.Schema) bool {
	for _, header := range headers {
		if header.Value.Schema.Value != correlationID {
			return false
		}
	}
	return true
}

// IsPlain reports whether answers with a status have no header but the correlation id. There
// need not be an operation.
func (o *Operation) IsPlain(status int) bool { return o != nil && slices.Contains(o.plain, status) }

// Body returns the schema of requests' bodies of a media type, nil if there is none.
func (o *Operation) Body(mediaType string) *Schema { return bodyOf(o.Bodies, mediaType) }

// bodyOf returns the schema of bodies of a media type, or of the range of types that it is in.
func bodyOf(bodies map[string]*Schema, mediaType string) *Schema {
	kind, _, _ := strings.Cut(mediaType, "/")
	return cmp.Or(bodies[mediaType], bodies[kind+"/*"], bodies["*/*"])
}

// HasQuery reports whether requests may have a query parameter of this name.
func (o *Operation) HasQuery(name string) bool {
	return o.parameters.GetByInAndName(openapi3.ParameterInQuery, name) != nil
}

// Operation returns the operation of a request that has been routed, or nil when it fits none. A
// HEAD that was routed as a GET belongs to that operation.
func (d *Document) Operation(r *http.Request) *Operation {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, o := range d.Operations {
		if o.Pattern == r.Pattern && o.method == method {
			return o
		}
	}
	return nil
}

// Methods returns the methods of a path that has no parameter, and nil for any other one.
func (d *Document) Methods(path string) []string {
	var found []string
	for _, o := range d.Operations {
		if o.Pattern == path {
			found = append(found, o.method)
		}
	}
	slices.Sort(found)
	return found
}

// Paths returns the paths of the document.
func (d *Document) Paths() []string {
	paths := map[string]bool{}
	for _, o := range d.Operations {
		paths[o.Pattern] = true
	}
	return slices.Sorted(maps.Keys(paths))
}

// NodeInPath returns the node that the path of a request names, as the path has it, and "" if
// there is none.
func (d *Document) NodeInPath(r *http.Request) string { return bind.InPath(r, d.nodeParameter) }
