package twoway

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
)

// Document is an OpenAPI document that knows the lines of its parts.
type Document struct {
	name       string
	is31       bool         // of OpenAPI 3.1 or later
	operations []*operation // as they follow each other in the document
}

// Load reads an OpenAPI document from a file, together with those that it refers to. They have
// to be in the same folder or inside it. Without a path it takes the document that is compiled
// in. It fails on a document that is not valid.
func Load(ctx context.Context, path string) (*Document, error) {
	source, err := apidoc.ReadFile(path)
	if err != nil {
		return nil, err
	}
	api, err := apidoc.Load(ctx, source)
	if err != nil {
		return nil, err
	}
	document := &Document{name: source.Name, is31: api.IsOpenAPI31OrLater()}
	for template, item := range api.Paths.Map() {
		for method, spec := range item.Operations() {
			document.operations = append(document.operations, newOperation(api, item, template, method, spec))
		}
	}
	slices.SortFunc(document.operations, func(a, b *operation) int {
		return cmp.Or(cmp.Compare(line(a.spec.Origin, ""), line(b.spec.Origin, "")), cmp.Compare(a.name, b.name))
	})
	return document, nil
}

// operation is one operation of the document, with what it inherits.
type operation struct {
	name       string // its operationId, or method and path where it has none
	method     string
	template   string
	prefixes   []string // of its path, as its servers have them
	spec       *openapi3.Operation
	parameters openapi3.Parameters
	// credentials are where requests carry them, by header or query, and name.
	credentials map[string]map[string]*openapi3.Parameter
	// accepted are the alternatives of credentials that it takes. Without any it takes every request.
	accepted []alternative
}

func newOperation(
	api *openapi3.T, item *openapi3.PathItem, template, method string, spec *openapi3.Operation,
) *operation {
	op := &operation{
		name:       cmp.Or(spec.OperationID, method+" "+template),
		method:     method,
		template:   template,
		prefixes:   []string{""},
		spec:       spec,
		parameters: slices.Clone(spec.Parameters),
	}
	for _, shared := range item.Parameters {
		if spec.Parameters.GetByInAndName(shared.Value.In, shared.Value.Name) == nil {
			op.parameters = append(op.parameters, shared)
		}
	}
	// A pact may have the path of the server, or leave it to the URL of the provider.
	for _, server := range apidoc.Servers(api, item, spec) {
		if _, prefix := apidoc.CutPath(server); prefix != "" {
			op.prefixes = append(op.prefixes, prefix)
		}
	}
	security := api.Security
	if spec.Security != nil {
		security = *spec.Security
	}
	op.accepted = alternativesOf(api, security)
	op.credentials = credentialsOf(op.accepted)
	return op
}

// route returns the operation that a request is for, and the values of its path
// parameters; nil when the document has none. A literal path goes before one with
// parameters.
func (d *Document) route(method, path string) (*operation, map[string]string) {
	var found *operation
	var values map[string]string
	for _, op := range d.operations {
		if op.method != method {
			continue
		}
		for _, prefix := range op.prefixes {
			if v, fits := matchTemplate(prefix+op.template, path); fits && (found == nil || len(v) < len(values)) {
				found, values = op, v
			}
		}
	}
	return found, values
}

// matchTemplate reports whether a path is one that a template such as
// /v2/nodes/{id} stands for, and what stands in it for the parameters.
func matchTemplate(template, path string) (map[string]string, bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	values := map[string]string{}
	for i, segment := range want {
		text, err := url.PathUnescape(have[i])
		if err != nil || !matchSegment(values, segment, text) {
			return nil, false
		}
	}
	return values, true
}

// matchSegment reports whether a text is what a segment of a template such as {id}.json stands
// for. It adds what stands in the text for the parameters.
func matchSegment(values map[string]string, segment, text string) bool {
	if name, isParameter := parameterName(segment); isParameter {
		values[name] = text
		return true
	}
	if !strings.Contains(segment, "{") {
		return text == segment
	}
	expression, names := `(?s)\A`, []string(nil)
	for rest := segment; rest != ""; {
		before, parameter, _ := strings.Cut(rest, "{")
		name, after, isParameter := strings.Cut(parameter, "}")
		expression += regexp.QuoteMeta(before)
		if isParameter {
			expression, names = expression+`(.+?)`, append(names, name)
		}
		rest = after
	}
	groups := regexp.MustCompile(expression + `\z`).FindStringSubmatch(text)
	for i, name := range names {
		if groups != nil {
			values[name] = groups[i+1]
		}
	}
	return groups != nil
}

func parameterName(segment string) (string, bool) {
	if strings.HasPrefix(segment, "{") && strings.Index(segment, "}") == len(segment)-1 {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

// response returns the name under which the document declares a status, which may be a range or
// default, and what it declares; nil for nothing.
func (op *operation) response(status int) (string, *openapi3.Response) {
	code := strconv.Itoa(status)
	for _, name := range []string{code, code[:1] + "XX", "default"} {
		if ref := op.spec.Responses.Value(name); ref != nil {
			return name, ref.Value
		}
	}
	return code, nil
}

// line returns where a part of the document is. It is the line of one of its fields, or that
// of the part itself when the field is not there. It is 0 for a part that the document does
// not have.
func line(origin *openapi3.Origin, field string) int { return apidoc.Locate(origin, field).Line }
