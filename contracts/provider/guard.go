//go:build pact

package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/llama-orch/node-registration/openapi"
)

// nodeField is the field by which the body of a registration names its node.
const nodeField = "node_id"

// guard blocks requests that concern anything but the nodes of a run. A pact may come from
// anywhere, and its requests carry the provider's token.
type guard struct {
	router routers.Router
	ids    ids
}

func newGuard(ids ids) (*guard, error) {
	router, err := documentRouter()
	return &guard{router: router, ids: ids}, err
}

// documentRouter returns what finds the operation of a request in the document, which is read once a process.
var documentRouter = sync.OnceValues(func() (routers.Router, error) {
	document, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		return nil, err
	}
	document.Servers = nil // it may be served anywhere
	return legacy.NewRouter(document, openapi3.DisableExamplesValidation())
})

// check returns why a request is not sent, nil if it is. The request's URL is relative
// to the provider's, and its body is given apart.
func (g *guard) check(method, path string, body []byte) error {
	if method == "" || path == "" {
		return errors.New("the request has no method, or no path")
	}
	request, err := http.NewRequest(method, path, nil)
	if err != nil || strings.Contains(path, "//") {
		return fmt.Errorf("%q is no path", path)
	}
	route, parameters, err := g.router.FindRoute(request)
	if err != nil {
		return fmt.Errorf("the API of nodes has no %s %s", method, path)
	}
	named := slices.Collect(maps.Values(parameters))
	if route.Operation.RequestBody != nil {
		inBody, err := nodesIn(body)
		if err != nil && len(parameters) == 0 {
			return fmt.Errorf("which node the body of %s %s is about cannot be read: %w", method, path, err)
		}
		if len(inBody)+len(parameters) == 0 {
			return fmt.Errorf("the body of %s %s names no node", method, path)
		}
		named = append(named, inBody...)
	}
	for _, id := range named {
		if !g.ids.own(id) {
			return g.refuse(id)
		}
	}
	return nil
}

// named returns the nodes that a request is about, none where that cannot be read.
func (g *guard) named(method, path string, body []byte) []string {
	request, err := http.NewRequest(method, path, nil)
	if err != nil {
		return nil
	}
	_, parameters, err := g.router.FindRoute(request)
	if err != nil {
		return nil
	}
	inBody, _ := nodesIn(body)
	return slices.AppendSeq(inBody, maps.Values(parameters))
}

func (g *guard) refuse(id string) error {
	return fmt.Errorf("it is about the node %q: a pact may only name nodes %s…", g.ids.restore(id), named)
}

// nodesIn returns the values of the field that names nodes in a JSON body, in any case and
// however often. Readers differ in which one counts.
func nodesIn(body []byte) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var found []string
	var inObject []bool // by level, whether it is an object
	isName := false     // whether the next token is the name of a field
	isNode := false     // whether the next token is what names a node
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && len(inObject) == 0 {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		text, isText := token.(string)
		switch {
		case isName && isText:
			isName, isNode = false, strings.EqualFold(text, nodeField)
			continue
		case isNode:
			found = append(found, fmt.Sprint(token))
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			inObject = append(inObject, token == json.Delim('{'))
		case json.Delim('}'), json.Delim(']'):
			inObject = inObject[:len(inObject)-1]
		}
		isNode, isName = false, len(inObject) > 0 && inObject[len(inObject)-1]
	}
}
