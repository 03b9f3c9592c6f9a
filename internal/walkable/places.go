package walkable

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Places calls visit once for every place of a document that has a schema or could have one. It
// leaves out the schemas of the components. It ends with the first error, such as null where the
// document must have an object.
func Places(document *openapi3.T, visit func(place string, schema **openapi3.SchemaRef) error) error {
	w := walker{visit: visit, seen: map[any]bool{}}
	if c := document.Components; c != nil {
		each(&w, "#/components/parameters", c.Parameters, w.parameter)
		each(&w, "#/components/headers", c.Headers, w.header)
		each(&w, "#/components/requestBodies", c.RequestBodies, w.requestBody)
		each(&w, "#/components/responses", c.Responses, w.response)
		each(&w, "#/components/callbacks", c.Callbacks, w.callback)
	}
	each(&w, "#/paths", document.Paths.Map(), w.path)
	each(&w, "#/webhooks", document.Webhooks, w.path)
	return w.err
}

// walker goes through a document until the first error.
type walker struct {
	visit func(place string, schema **openapi3.SchemaRef) error
	seen  map[any]bool // places of schemas, and paths: a callback can lead back to its own
	err   error
}

// each walks through what the parts of a document have in common, in the order of their names.
func each[P any](w *walker, at string, parts map[string]*P, walk func(at string, part *P)) {
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if place := join(at, name); w.has(place, parts[name] != nil) {
			walk(place, parts[name])
		}
	}
}

// has reports whether a part is there, which is an error if it is not.
func (w *walker) has(place string, there bool) bool {
	if w.err == nil && !there {
		w.err = isNull(place)
	}
	return w.err == nil
}

func (w *walker) path(at string, item *openapi3.PathItem) {
	if w.seen[item] {
		return
	}
	w.seen[item] = true
	w.servers(at, item.Servers)
	w.parameters(at, item.Parameters)
	operations := item.Operations()
	for _, method := range slices.Sorted(maps.Keys(operations)) {
		w.operation(join(at, strings.ToLower(method)), operations[method])
	}
}

func (w *walker) operation(at string, operation *openapi3.Operation) {
	if operation.Servers != nil {
		w.servers(at, *operation.Servers)
	}
	w.parameters(at, operation.Parameters)
	if operation.RequestBody != nil {
		w.requestBody(at+"/requestBody", operation.RequestBody)
	}
	each(w, at+"/responses", operation.Responses.Map(), w.response)
	each(w, at+"/callbacks", operation.Callbacks, w.callback)
}

// servers have no schemas, but are read together with the path that has them.
func (w *walker) servers(at string, servers openapi3.Servers) {
	for i, server := range servers {
		w.has(fmt.Sprintf("%s/servers/%d", at, i), server != nil)
	}
}

func (w *walker) parameters(at string, parameters openapi3.Parameters) {
	for i, ref := range parameters {
		if place := fmt.Sprintf("%s/parameters/%d", at, i); w.has(place, ref != nil) {
			w.parameter(place, ref)
		}
	}
}

func (w *walker) parameter(at string, ref *openapi3.ParameterRef) {
	if w.has(at, ref.Value != nil) {
		w.schema(at+"/schema", &ref.Value.Schema)
		each(w, at+"/content", ref.Value.Content, w.mediaType)
	}
}

func (w *walker) header(at string, ref *openapi3.HeaderRef) {
	if w.has(at, ref.Value != nil) {
		w.parameter(at, &openapi3.ParameterRef{Value: &ref.Value.Parameter})
	}
}

func (w *walker) requestBody(at string, ref *openapi3.RequestBodyRef) {
	if w.has(at, ref.Value != nil) {
		each(w, at+"/content", ref.Value.Content, w.mediaType)
	}
}

func (w *walker) response(at string, ref *openapi3.ResponseRef) {
	if w.has(at, ref.Value != nil) {
		each(w, at+"/headers", ref.Value.Headers, w.header)
		each(w, at+"/content", ref.Value.Content, w.mediaType)
	}
}

func (w *walker) callback(at string, ref *openapi3.CallbackRef) {
	if w.has(at, ref.Value != nil) {
		each(w, at, ref.Value.Map(), w.path)
	}
}

func (w *walker) mediaType(at string, media *openapi3.MediaType) {
	w.schema(at+"/schema", &media.Schema)
	w.schema(at+"/itemSchema", &media.ItemSchema)
	each(w, at+"/encoding", media.Encoding, func(at string, encoding *openapi3.Encoding) {
		each(w, at+"/headers", encoding.Headers, w.header)
	})
}

func (w *walker) schema(at string, schema **openapi3.SchemaRef) {
	if w.err == nil && !w.seen[schema] {
		w.seen[schema] = true
		w.err = w.visit(at, schema)
	}
}
