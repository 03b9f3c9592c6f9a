package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/apitext"
)

// Load reads another version of the document of the node API, such as one with an overlay. Only what
// crosses the wire is of that version. Whatever else it says, such as ids of operations and names of
// components, is its own: here they are those of Nodes.
func Load(text []byte) (*Document, error) {
	d, err := nodesBy(text)
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	d.lenient()
	return d, nil
}

func nodesBy(text []byte) (d *Document, err error) {
	if err := apitext.Explain(text, nil); err != nil {
		return nil, err
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("it does not describe the node API: %w", apitext.Explain(text, fmt.Errorf("%v", cause)))
		}
	}()
	doc, nodes := load(openapi3.NewLoader(), text), *Nodes()
	if nodes.Operations, err = sameOperations(operationsOf(doc.Paths, nil)); err != nil {
		return nil, err
	}
	nodes.schemas = nil
	if doc.Components != nil {
		nodes.schemas = doc.Components.Schemas
	}
	return &nodes, nil
}

// sameOperations returns those of another version's operations that Nodes has, under the names that it
// has for them.
func sameOperations(others []*Operation) ([]*Operation, error) {
	var found []*Operation
	var missing []string
	for _, o := range Nodes().Operations {
		i := slices.IndexFunc(others, func(other *Operation) bool {
			return other.method == o.method && nameless(other.Pattern) == nameless(o.Pattern)
		})
		if i < 0 {
			missing = append(missing, o.method+" "+o.Pattern)
			continue
		}
		others[i].ID, others[i].Pattern = o.ID, o.Pattern
		found = append(found, others[i])
	}
	if missing != nil {
		slices.Sort(missing)
		return nil, fmt.Errorf("it lacks %s of the node API", strings.Join(missing, ", "))
	}
	return found, nil
}

var parameterName = regexp.MustCompile(`{[^{}]*}`)

// nameless returns a pattern without the names of its parameters.
func nameless(pattern string) string { return parameterName.ReplaceAllString(pattern, "{}") }
