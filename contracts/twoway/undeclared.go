package twoway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
	"github.com/llama-orch/node-registration/internal/nearest"
)

// undeclared finds the fields of a value that the document does not have. A consumer that reads
// one from an answer relies on something that nobody has promised. A request may have more fields
// than the document has, but one that looks like a slip of the pen is found.
func (c *checker) undeclared(pointer string, value any, s shape) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			if inner := s.field(name); inner != nil {
				c.undeclared(jsonpointer.Join(pointer, name), field, inner)
				continue
			}
			near := nearest.Name(name, s.absent(value))
			switch {
			case near != "" && s.isOpenTo(pointer):
				c.add(jsonpointer.Join(pointer, name), s.line(),
					"the document has no field %q here, perhaps %q is meant", name, near)
			case !s.isOpenTo(pointer):
				c.add(jsonpointer.Join(pointer, name), s.line(), "the document has no field %q here", name)
			}
		}
	case []any:
		for i, item := range value {
			c.undeclared(jsonpointer.Join(pointer, fmt.Sprint(i)), item, s.items())
		}
	}
}

// absent returns the declared fields that an object does not have.
func (s shape) absent(value map[string]any) []string {
	var names []string
	for _, schema := range s {
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if _, has := value[name]; !has {
				names = append(names, name)
			}
		}
	}
	return names
}

// isOpenTo reports whether an object at a place of the pact may have fields that the document does
// not have. In a request it may, unless the document forbids them.
func (s shape) isOpenTo(pointer string) bool {
	return strings.HasPrefix(pointer, "/request/") && s.allows(openapi3.TypeObject) &&
		!slices.ContainsFunc(s, func(schema *openapi3.Schema) bool {
			return isFalse(schema.AdditionalProperties) || isFalse(schema.UnevaluatedProperties)
		})
}

func isFalse(schema openapi3.BoolSchema) bool { return schema.Has != nil && !*schema.Has }
