package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/schema"
)

// decode writes the function that decodes the body of any operation.
func (g *generator) decode(bodies map[string]*openapi3.SchemaRef) {
	g.printf(`// Decode returns what the JSON body of an operation's request stands for, as a pointer to
// the type of the body, if it can be seen at once that the body keeps the document and has
// nothing in it that the document does not name. The value shares no memory with the text.
func Decode(operation string, text []byte) (any, bool) {
	s := scanner{text: text}
	switch operation {
`)
	for _, operation := range slices.Sorted(maps.Keys(bodies)) {
		body := bodies[operation]
		g.printf("case %q:\nv := new(nodeapi.%s)\nif s.%s(v) && s.end() {\nreturn v, true\n}\n", operation, schema.TypeName(body), method(body))
	}
	g.printf("}\nreturn nil, false\n}\n\n")
}

// decoder writes the method that decodes an object.
func (g *generator) decoder(ref *openapi3.SchemaRef) {
	g.printf("func (s *scanner) %s(v *nodeapi.%s) bool {\nvar seen fields\n", method(ref), schema.TypeName(ref))
	g.printf("for more := s.object(); more; more = s.more('}') {\nswitch string(s.name()) {\n")
	required := 0
	for i, p := range properties(ref) {
		if p.required {
			required |= 1 << i
		}
		g.printf("case %q:\nif !seen.first(%d) {\nreturn false\n}\n", p.name, i)
		g.member(p)
	}
	g.printf("default:\nreturn false\n}\n}\nreturn !s.bad && seen.all(%#x)\n}\n\n", required)
}

// member writes what decodes the value of a field.
func (g *generator) member(p property) {
	if p.flat.Nullable {
		g.printf("if s.null() {\nbreak\n}\n")
	}
	target := "v." + p.field
	if p.pointer && !p.flat.Type.Is(openapi3.TypeArray) {
		g.scalar(p, "value", func(value string) { g.printf("%s = new(%s)\n", target, value) })
		return
	}
	if p.flat.Type.Is(openapi3.TypeArray) {
		g.array(p, target)
		return
	}
	g.scalar(p, "value", func(value string) { g.printf("%s = %s\n", target, value) })
}

// scalar writes what decodes a value that is no array, and has assign write where it goes.
func (g *generator) scalar(p property, name string, assign func(value string)) {
	refuse := "if !ok {\nreturn false\n}\n"
	switch {
	case p.flat.Type.Is(openapi3.TypeObject):
		if p.pointer {
			panic(fmt.Sprintf("%s.%s: an optional object", p.owner, p.name))
		}
		g.printf("if !s.%s(&v.%s) {\nreturn false\n}\n", method(p.ref), p.field)
		return
	case p.flat.Type.Is(openapi3.TypeBoolean):
		g.printf("%s, ok := s.boolean()\n%s", name, refuse)
		assign(name)
	case p.flat.Type.Is(openapi3.TypeInteger):
		g.printf("%s, ok := s.integer(%.0f, %.0f)\n%s", name, *p.flat.Min, *p.flat.Max, refuse)
		assign(fmt.Sprintf("%s(%s)", cmp.Or(p.flat.Format, "int"), name))
	case p.flat.Format == "date-time":
		g.printf("%s, ok := s.time(%d)\n%s", name, *p.flat.MaxLength, refuse)
		assign(name)
	default:
		g.printf("%s, ok := s.string(%s)\n%s", name, g.fits(p), refuse)
		assign(name)
	}
}

// array writes what decodes an array into a slice that is no longer than it must be.
func (g *generator) array(p property, target string) {
	items := property{name: p.name, field: p.field, ref: p.flat.Items, flat: schema.Flatten(p.flat.Items.Value), required: true, owner: p.owner}
	element := "string"
	if items.flat.Type.Is(openapi3.TypeObject) {
		element = "nodeapi." + schema.TypeName(items.ref)
	}
	g.printf("count, ok := s.count(%d, %d)\nif !ok {\nreturn false\n}\nitems := make([]%s, 0, count)\n", p.flat.MinItems, *p.flat.MaxItems, element)
	g.printf("for more := s.array(); more; more = s.more(']') {\n")
	if items.flat.Type.Is(openapi3.TypeObject) {
		g.printf("items = append(items, %s{})\nif !s.%s(&items[len(items)-1]) {\nreturn false\n}\n", element, method(items.ref))
	} else {
		g.printf("item, ok := s.string(%s)\nif !ok {\nreturn false\n}\nitems = append(items, item)\n", g.fits(items))
	}
	g.printf("}\n")
	if p.flat.UniqueItems {
		g.printf("if !unique(items) {\nreturn false\n}\n")
	}
	if p.pointer {
		g.printf("%s = &items\n", target)
	} else {
		g.printf("%s = items\n", target)
	}
}
