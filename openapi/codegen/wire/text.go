package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/schema"
)

// fits returns the name of the function that reports whether a text fits a property.
func (g *generator) fits(p property) string {
	name := p.owner + schema.GoName(p.name)
	if p.ref.Ref != "" {
		name = schema.TypeName(p.ref)
	}
	if len(p.ref.Value.AllOf) > 0 {
		name = schema.TypeName(p.ref.Value.AllOf[0])
	}
	return g.kind("fits"+name, p.flat)
}

// parameters writes the functions that report whether a text fits a parameter.
func (g *generator) parameters(doc *openapi3.T) {
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Parameters)) {
		ref := doc.Components.Parameters[name].Value.Schema
		kind := g.fits(property{name: name, ref: ref, flat: schema.Flatten(ref.Value)})
		g.printf("// Fits%s reports whether a text can be the parameter.\n", goName(name))
		g.printf("func Fits%s(text string) bool { return %s(text) }\n\n", goName(name), kind)
	}
}

// goName spells the name of a schema or parameter as oapi-codegen does.
func goName(name string) string {
	if base, ok := strings.CutSuffix(name, "Id"); ok {
		return base + "ID"
	}
	return name
}

// kind returns the name of the function for a kind of text, which is the name given unless
// there is one already.
func (g *generator) kind(name string, s *openapi3.Schema) string {
	wants := g.wants(s)
	if g.texts[wants] == "" {
		g.texts[wants] = name
		fmt.Fprintf(&g.kinds, "func %s(text string) bool {\nreturn %s\n}\n\n", name, wants)
	}
	return g.texts[wants]
}

// wants returns the condition that a text must meet.
func (g *generator) wants(s *openapi3.Schema) string {
	var all []string
	if len(s.Enum) > 0 {
		var any []string
		for _, value := range s.Enum {
			any = append(any, fmt.Sprintf("text == %q", value))
		}
		all = append(all, "("+strings.Join(any, " || ")+")")
	}
	if s.MaxLength != nil {
		all = append(all, fmt.Sprintf("length(text, %d, %d)", s.MinLength, *s.MaxLength))
	}
	if s.Pattern != "" {
		all = append(all, g.matches(s.Pattern))
	}
	if s.Format != "" {
		all = append(all, fmt.Sprintf("Check%s(text) == nil", strings.ToUpper(s.Format)))
	}
	return strings.Join(all, " && ")
}

// matches returns the condition for a pattern: a loop over the text for one that is made
// of classes of characters, as in ^[a-z][a-z0-9]*$, and else a regular expression.
func (g *generator) matches(pattern string) string {
	if first, rest, ok := classes(pattern); ok {
		if first == "" {
			return fmt.Sprintf("%s.some(text)", rest)
		}
		return fmt.Sprintf("%s.starts(text) && %s.all(text[1:])", first, rest)
	}
	if g.patterns[pattern] == "" {
		g.patterns[pattern] = fmt.Sprintf("pattern%d", len(g.patterns)+1)
	}
	return g.patterns[pattern] + "().MatchString(text)"
}

// classes returns the classes of ^[first][rest]*$, or of ^[rest]+$.
func classes(pattern string) (first, rest string, ok bool) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || parsed.Op != syntax.OpConcat {
		return "", "", false
	}
	parts := parsed.Sub
	if len(parts) < 3 || parts[0].Op != syntax.OpBeginText || parts[len(parts)-1].Op != syntax.OpEndText {
		return "", "", false
	}
	switch parts = parts[1 : len(parts)-1]; {
	case len(parts) == 1 && parts[0].Op == syntax.OpPlus:
		rest, ok = class(parts[0].Sub[0])
		return "", rest, ok
	case len(parts) == 2 && parts[1].Op == syntax.OpStar:
		first, ok = class(parts[0])
		rest, fine := class(parts[1].Sub[0])
		// Of the first character only a byte is looked at.
		return first, rest, ok && fine && strings.HasSuffix(first, "false}")
	}
	return "", "", false
}

// class returns the Go expression for a class of characters that has either all or none
// of those beyond ASCII.
func class(c *syntax.Regexp) (string, bool) {
	if c.Op != syntax.OpCharClass {
		return "", false
	}
	var bits [2]uint64
	wide := false
	for i := 0; i < len(c.Rune); i += 2 {
		low, high := c.Rune[i], c.Rune[i+1]
		if high > unicode.MaxASCII {
			if wide = low <= unicode.MaxASCII+1 && high == unicode.MaxRune; !wide {
				return "", false
			}
			high = unicode.MaxASCII
		}
		for r := low; r <= high; r++ {
			bits[r/64] |= 1 << (r % 64)
		}
	}
	return fmt.Sprintf("class{%#x, %#x, %t}", bits[0], bits[1], wide), true
}

// compiled returns the regular expressions.
func (g *generator) compiled() []byte {
	var code bytes.Buffer
	code.WriteString("var (\n")
	for _, pattern := range slices.SortedFunc(maps.Keys(g.patterns), func(a, b string) int { return cmp.Compare(g.patterns[a], g.patterns[b]) }) {
		fmt.Fprintf(&code, "%s = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(%q) })\n", g.patterns[pattern], pattern)
	}
	code.WriteString(")\n\n")
	return code.Bytes()
}
