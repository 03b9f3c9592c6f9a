package main

import (
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/schema"
)

// write writes the functions that check and encode any value.
func (g *generator) write(refs []*openapi3.SchemaRef) {
	g.printf(`// Check returns where a value breaks the document, and nil when it keeps it. The value is
// a pointer to the type of an answer or of an object in one.
func Check(value any) error {
	switch v := value.(type) {
`)
	for _, ref := range refs {
		g.printf("case *nodeapi.%s:\nreturn check%[1]s(v)\n", schema.TypeName(ref))
	}
	g.printf(`}
	return unknown(value)
}

// Append appends the JSON of a value whose type Check knows.
func Append(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
`)
	for _, ref := range refs {
		g.printf("case *nodeapi.%s:\nreturn append%[1]s(b, v), nil\n", schema.TypeName(ref))
	}
	g.printf("}\nreturn b, unknown(value)\n}\n\n")
}

// check writes the function that checks an object.
func (g *generator) check(ref *openapi3.SchemaRef) {
	name := schema.TypeName(ref)
	g.printf("func check%s(v *nodeapi.%[1]s) error {\n", name)
	for _, p := range properties(ref) {
		if p.pointer && !p.flat.Type.Is(openapi3.TypeBoolean) {
			g.printf("if v.%s != nil {\n", p.field)
			g.checkValue(p, "*v."+p.field)
			g.printf("}\n")
			continue
		}
		g.checkValue(p, "v."+p.field)
	}
	g.printf("return nil\n}\n\n")
}

func (g *generator) checkValue(p property, value string) {
	fail := func(condition string) { g.printf("if %s {\nreturn breach(%q)\n}\n", condition, p.name) }
	switch {
	case p.flat.Type.Is(openapi3.TypeBoolean):
	case p.flat.Type.Is(openapi3.TypeObject):
		g.printf("if err := check%s(%s); err != nil {\nreturn within(%q, err)\n}\n", schema.TypeName(p.ref), address(value), p.name)
	case p.flat.Type.Is(openapi3.TypeInteger):
		fail(fmt.Sprintf("%s < %.0f || %[1]s > %.0[3]f", value, *p.flat.Min, *p.flat.Max))
	case p.flat.Type.Is(openapi3.TypeArray):
		if p.flat.MinItems > 0 {
			fail(fmt.Sprintf("len(%s) < %d", value, p.flat.MinItems))
		}
		fail(fmt.Sprintf("len(%s) > %d", value, *p.flat.MaxItems))
		g.checkItems(p, value)
	default:
		fail(fmt.Sprintf("!%s(%s)", g.fits(p), p.text(value)))
	}
}

func (g *generator) checkItems(p property, value string) {
	items := property{name: p.name, field: p.field, ref: p.flat.Items, flat: schema.Flatten(p.flat.Items.Value), owner: p.owner}
	if p.flat.UniqueItems {
		g.printf("if !unique(%s) {\nreturn breach(%q)\n}\n", value, p.name)
	}
	if items.flat.Type.Is(openapi3.TypeObject) {
		g.printf("for i := range %s {\nif err := check%s(&%s); err != nil {\nreturn within(%[4]q, err)\n}\n}\n", value, schema.TypeName(items.ref), index(value), p.name)
		return
	}
	g.printf("for _, item := range %s {\nif !%s(item) {\nreturn breach(%q)\n}\n}\n", value, g.fits(items), p.name)
}

// encoder writes the function that encodes an object, and for one that lists objects what
// it takes to encode them one by one.
func (g *generator) encoder(ref *openapi3.SchemaRef) {
	name := schema.TypeName(ref)
	g.printf("func append%s(b []byte, v *nodeapi.%[1]s) []byte {\nb = append(b, '{')\n", name)
	settled := false // whether a field comes before that is always there
	for i, p := range properties(ref) {
		value := "v." + p.field
		if p.pointer {
			g.printf("if v.%s != nil {\n", p.field)
			value = "*" + value
		}
		comma := ""
		switch {
		case settled:
			comma = ","
		case i > 0:
			g.printf("b = separate(b)\n")
		}
		g.printf("b = append(b, %#q...)\n", fmt.Sprintf("%s%q:", comma, p.name))
		g.encodeValue(p, value)
		if p.pointer {
			g.printf("}\n")
		} else {
			settled = true
		}
	}
	g.printf("return append(b, '}')\n}\n\n")
	g.pieces(ref)
}

func (g *generator) encodeValue(p property, value string) {
	switch {
	case p.flat.Type.Is(openapi3.TypeBoolean):
		g.printf("b = strconv.AppendBool(b, %s)\n", value)
	case p.flat.Type.Is(openapi3.TypeObject):
		g.printf("b = append%s(b, %s)\n", schema.TypeName(p.ref), address(value))
	case p.flat.Type.Is(openapi3.TypeInteger):
		g.printf("b = strconv.AppendInt(b, int64(%s), 10)\n", value)
	case p.flat.Type.Is(openapi3.TypeArray):
		g.printf("b = append(b, '[')\nfor i := range %s {\nif i > 0 {\nb = append(b, ',')\n}\n", value)
		items := property{ref: p.flat.Items, flat: schema.Flatten(p.flat.Items.Value)}
		g.encodeValue(items, index(value))
		g.printf("}\nb = append(b, ']')\n")
	default:
		g.printf("b = appendString(b, %s)\n", p.text(value))
	}
}

// pieces writes what encodes an object that lists others: what comes before the list,
// which is put first, and what comes after it.
func (g *generator) pieces(ref *openapi3.SchemaRef) {
	name, list := schema.TypeName(ref), property{}
	for _, p := range properties(ref) {
		if p.flat.Type.Is(openapi3.TypeArray) && schema.Flatten(p.flat.Items.Value).Type.Is(openapi3.TypeObject) && p.required {
			list = p
		}
	}
	if list.name == "" || slicesOf(ref) != 1 {
		return
	}
	g.printf("// Open%s appends what comes before the first item of a %[1]s.\n", name)
	g.printf("func Open%s(b []byte) []byte {\nreturn append(b, %q...)\n}\n\n", name, fmt.Sprintf("{%q:[", list.name))
	g.printf("// Close%s appends what comes after the last item of a %[1]s: the fields of v but the list.\n", name)
	g.printf("func Close%s(b []byte, v *nodeapi.%[1]s) []byte {\nb = append(b, ']')\n", name)
	for _, p := range properties(ref) {
		if p.name != list.name {
			g.printf("b = append(b, %#q...)\n", fmt.Sprintf(",%q:", p.name))
			g.encodeValue(p, "v."+p.field)
		}
	}
	g.printf("return append(b, '}')\n}\n\n")
}

// slicesOf returns how many fields of an object are arrays, or 0 if any may be missing.
func slicesOf(ref *openapi3.SchemaRef) int {
	count := 0
	for _, p := range properties(ref) {
		switch {
		case p.pointer:
			return 0
		case p.flat.Type.Is(openapi3.TypeArray):
			count++
		}
	}
	return count
}

// index returns the expression for an item of a slice.
func index(value string) string {
	if value[0] == '*' {
		value = "(" + value + ")"
	}
	return value + "[i]"
}

// address returns the expression for the address of a value.
func address(value string) string {
	if value[0] == '*' {
		return value[1:]
	}
	return "&" + value
}
