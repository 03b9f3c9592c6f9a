package twoway

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// declared is what the document has for a part of a message whose values travel as
// text under names: path, query or headers.
type declared struct {
	line    int  // where they are declared
	headers bool // whose names are the same in any case
	schemas map[string]*openapi3.SchemaRef
}

// schema returns the schema of a name, nil when it is not declared.
func (d declared) schema(name string) *openapi3.SchemaRef {
	for declared, schema := range d.schemas {
		if name == declared || d.headers && strings.EqualFold(name, declared) {
			return schema
		}
	}
	return nil
}

// valuesOf returns the values under a name, whatever its case.
func valuesOf(values map[string][]string, name string) []string {
	for key, each := range values {
		if strings.EqualFold(key, name) {
			return each
		}
	}
	return nil
}

// texts checks the values of a part of a message.
func (c *checker) texts(pointer string, values map[string][]string, d declared) {
	for name, each := range values {
		schema := d.schema(name)
		if schema == nil {
			c.add(join(pointer, name), d.line, "the document has no %s here", name)
			continue
		}
		for i, text := range each {
			c.value(join(pointer, name, strconv.Itoa(i)), typed(text, shapeOf(schema)), schema)
		}
	}
}

// textRules checks the matchers on a part of a message, whose examples are values.
func (c *checker) textRules(pointer string, rules map[string][]pactfile.Matcher, values map[string][]string, d declared) {
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		schema := d.schema(name)
		if schema == nil {
			c.add(join(pointer, name), d.line, "the document has no %s here", name)
			continue
		}
		var examples []any
		for _, text := range valuesOf(values, name) {
			examples = append(examples, text)
		}
		// On the wire it is text, whatever the document takes it for.
		either := append(shapeOf(schema), openapi3.NewStringSchema())
		for _, matcher := range rules[name] {
			c.matcher(join(pointer, name), either, examples, matcher)
		}
	}
}

// typed reads a text as what its shape takes it for. One that cannot be read stays
// a string, which its schema then refuses.
func typed(text string, s shape) any {
	if number, err := strconv.ParseFloat(text, 64); err == nil && s.allows(openapi3.TypeInteger, openapi3.TypeNumber) {
		return number
	}
	if truth, err := strconv.ParseBool(text); err == nil && s.allows(openapi3.TypeBoolean) {
		return truth
	}
	return text
}
