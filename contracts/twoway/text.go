package twoway

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// declared is what the document has for a part of a message whose values travel as
// text under names: path, query or headers.
type declared struct {
	line       int  // where they are declared
	headers    bool // whose names are the same in any case
	answer     bool // and not a request
	parameters map[string]*openapi3.Parameter
}

// parameter returns what is declared for a name, nil for nothing. An object in a query may
// stand there under the names of its fields, or as name[field]: then it returns the field
// as well.
func (d declared) parameter(name string) (found *openapi3.Parameter, field string) {
	for declared, parameter := range d.parameters {
		if name == declared || d.headers && strings.EqualFold(name, declared) {
			return parameter, ""
		}
	}
	outer, field, nested := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	parameter := d.parameters[outer]
	if nested && parameter != nil && parameter.Style == openapi3.SerializationDeepObject {
		return parameter, field
	}
	for _, parameter := range d.parameters {
		if isSpread(parameter) && shapeOf(parameter.Schema).field(name) != nil {
			return parameter, name
		}
	}
	return nil, ""
}

// isSpread reports whether a parameter is an object that stands in the query under the
// names of its fields.
func isSpread(parameter *openapi3.Parameter) bool {
	method, err := parameter.SerializationMethod()
	if err != nil || parameter.In != openapi3.ParameterInQuery || parameter.Schema == nil {
		return false
	}
	return method.Style == openapi3.SerializationForm && method.Explode &&
		parameter.Schema.Value.Type.Is(openapi3.TypeObject)
}

// schema returns the schema of a name, nil when it is not declared.
func (d declared) schema(name string) *openapi3.SchemaRef {
	parameter, field := d.parameter(name)
	switch {
	case parameter == nil:
		return nil
	case field != "":
		return shapeOf(parameter.Schema).field(field).ref()
	}
	return apidoc.SchemaOf(parameter)
}

// valuesOf returns the values under a name. The names of headers are the same in any case.
func valuesOf(values map[string][]string, name string, areHeaders bool) []string {
	if !areHeaders {
		return values[name]
	}
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
			c.add(jsonpointer.Join(pointer, name), d.line, "the document has no %s here", name)
			continue
		}
		parameter, field := d.parameter(name)
		s := shapeOf(schema)
		switch {
		case len(parameter.Content) > 0:
			c.value(jsonpointer.Join(pointer, name), decoded(each), schema)
		case field == "" && s.allows(openapi3.TypeArray) && len(s.types()) > 0:
			c.value(jsonpointer.Join(pointer, name), items(parameter, each, s.items()), schema)
		default:
			for i, text := range each {
				c.value(jsonpointer.Join(pointer, name, strconv.Itoa(i)), typed(text, s), schema)
			}
		}
	}
}

// decoded reads the one value of a parameter that is JSON.
func decoded(texts []string) any {
	var value any
	if len(texts) == 0 || json.Unmarshal([]byte(texts[0]), &value) != nil {
		return strings.Join(texts, ",")
	}
	return value
}

// items returns the items of an array, which the document's style may have in one text.
func items(parameter *openapi3.Parameter, texts []string, s shape) []any {
	separators := map[string]string{
		openapi3.SerializationForm: ",", openapi3.SerializationSimple: ",",
		openapi3.SerializationSpaceDelimited: " ", openapi3.SerializationPipeDelimited: "|",
	}
	method, err := parameter.SerializationMethod()
	if err != nil || parameter.In == "" { // a header of an answer
		method = &openapi3.SerializationMethod{Style: openapi3.SerializationSimple}
	}
	isOne := !method.Explode || method.Style == openapi3.SerializationSimple
	found := []any{}
	for _, text := range texts {
		parts := []string{text}
		if separator := separators[method.Style]; isOne && separator != "" {
			parts = strings.Split(text, separator)
		}
		for _, part := range parts {
			found = append(found, typed(strings.TrimSpace(part), s))
		}
	}
	return found
}

// textRules checks the matchers on a part of a message, whose examples are values.
func (c *checker) textRules(
	pointer string, rules map[string][]pactfile.Matcher, values map[string][]string, d declared,
) {
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		at, base, index := jsonpointer.Join(pointer, name), name, -1
		if d.schema(name) == nil {
			base, index = indexed(name)
		}
		schema := d.schema(base)
		if schema == nil {
			c.add(at, d.line, "the document has no %s here", base)
			continue
		}
		examples := examplesOf(valuesOf(values, base, d.headers), index)
		if examples == nil {
			c.add(at, 0, "the rule is for nothing: the example has no %s", name)
		}
		s := shapeOf(schema)
		// On the wire it is text, whatever the document takes it for.
		either := append(slices.Clone(s), openapi3.NewStringSchema())
		if s.allows(openapi3.TypeArray) && len(s.types()) > 0 {
			s = s.items() // the rule is about each of them
			either = append(either, s...)
		}
		for _, matcher := range rules[name] {
			c.matcher(at, either, examples, matcher)
			if matcher.Match != "type" || !strings.EqualFold(base, "Authorization") { // a token is what its scheme says
				c.textMatcher(at, s, matcher, examples, !d.answer)
			}
		}
	}
}

// examplesOf returns the values of a name, or the one at an index.
func examplesOf(texts []string, index int) []any {
	var examples []any
	for i, text := range texts {
		if index < 0 || i == index {
			examples = append(examples, wireText(text))
		}
	}
	return examples
}

// indexed splits the name of a rule that is about one value of several, as tag[0]. The index is
// -1 for a rule about all.
func indexed(rule string) (name string, index int) {
	name, rest, found := strings.Cut(rule, "[")
	index, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
	if !found || err != nil {
		return rule, -1
	}
	return name, index
}

// typed reads a text as what its shape takes it for. One that cannot be read stays
// a string, which its schema then refuses.
func typed(text string, s shape) any {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return text
	}
	switch value.(type) {
	case float64:
		if s.allows(openapi3.TypeInteger, openapi3.TypeNumber) {
			return value
		}
	case bool:
		if s.allows(openapi3.TypeBoolean) {
			return value
		}
	}
	return text
}
