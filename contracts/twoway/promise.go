package twoway

import (
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/subset"
	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/plural"
)

// letThrough finds values that the matchers of a request allow and the document forbids. A
// consumer that sends one keeps the pact, but is refused. An upper bound of size counts only
// where a regex states one as well: the matcher of a type has no way to.
func (c *checker) letThrough(pointer string, l leaf) {
	if _, isList := l.value.([]any); isList {
		c.shorter(pointer, l)
		return
	}
	if i := slices.IndexFunc(l.matchers, isEither); i >= 0 {
		c.eachLetThrough(pointer, l, i)
		return
	}
	if slices.ContainsFunc(l.matchers, func(m pactfile.Matcher) bool { return boundsDigits(m, l.matchers) }) {
		c.digitsBeyond(pointer, l)
		return
	}
	var parts openapi3.SchemaRefs
	for _, m := range l.matchers {
		if types, known := matchedTypes(m); known && len(types) > 0 && !l.shape.allows(types...) {
			return // which is found elsewhere
		}
		if schema := matchedSchema(m, l.value); schema != nil {
			parts = append(parts, schema.NewRef())
		}
	}
	if len(parts) == 0 {
		return
	}
	for _, gap := range c.gaps(parts, l.shape, slices.ContainsFunc(l.matchers, boundsLength)) {
		c.add(pointer, line(gap.Outer.Origin, gap.Keyword),
			"the matcher %s lets through %s, which the document forbids",
			l.matchers[0].Match, gap.Values)
	}
}

func isEither(m pactfile.Matcher) bool { return m.Match == "either" }

// eachLetThrough tries each alternative of the matcher at an index, since any of them may be sent.
func (c *checker) eachLetThrough(pointer string, l leaf, index int) {
	for _, m := range l.matchers[index].Rules {
		if types, _ := matchedTypes(m); len(types) > 0 && !l.shape.allows(types...) {
			c.add(pointer, l.shape.line(), "the matcher %s lets through %s, which the document forbids", m.Match,
				strings.Join(types, " or "))
			continue
		}
		one := l
		one.matchers = slices.Replace(slices.Clone(l.matchers), index, index+1, m)
		c.letThrough(pointer, one)
	}
}

// shorter finds a list of a request that may have fewer items than the document wants.
func (c *checker) shorter(pointer string, l leaf) {
	for _, m := range l.matchers {
		for _, schema := range l.shape {
			if m.Min != nil && *m.Min < schema.MinItems {
				c.add(pointer, line(schema.Origin, "minItems"),
					"the matcher lets through a list of %s, and the document has at least %d",
					plural.Count(*m.Min, "item"), schema.MinItems)
			}
		}
	}
}

// answer is what some schemas allow and a shape does not. It keeps the shape, so that no other gets
// the addresses that the question has of it.
type answer struct {
	shape shape
	gaps  []subset.Gap
}

// boundsLength reports whether a matcher is a regex that matches only texts up to some length.
func boundsLength(m pactfile.Matcher) bool {
	expression, err := syntax.Parse(m.Regex, syntax.Perl)
	return m.Match == "regex" && err == nil && isBounded(expression)
}

func isBounded(expression *syntax.Regexp) bool {
	isEndless := expression.Op == syntax.OpStar || expression.Op == syntax.OpPlus ||
		expression.Op == syntax.OpRepeat && expression.Max < 0
	isNot := func(part *syntax.Regexp) bool { return !isBounded(part) }
	return !isEndless && !slices.ContainsFunc(expression.Sub, isNot)
}

// gaps returns what some schemas allow together and a shape does not, with or without the upper
// bounds of its size. The interactions of a pact ask the same again and again.
func (c *checker) gaps(sent openapi3.SchemaRefs, s shape, bounded bool) []subset.Gap {
	whole := &openapi3.Schema{AllOf: sent}
	text, _ := json.Marshal(whole) // which such small schemas always give
	question := fmt.Sprint(string(text), bounded)
	for _, schema := range s {
		question += fmt.Sprintf(" %p", schema)
	}
	if _, asked := c.answers[question]; !asked {
		allowed := s
		if !bounded {
			allowed = s.ofAnySize()
		}
		c.answers[question] = answer{s, subset.Compare(subset.Request, whole.NewRef(), allowed.ref()).Gaps}
	}
	return c.answers[question].gaps
}

// ofAnySize returns the shape without upper bounds of its size.
func (s shape) ofAnySize() shape {
	var unbound shape
	for _, schema := range s {
		larger := *schema
		larger.MaxLength, larger.MaxItems, larger.MaxProps = nil, nil, nil
		larger.AllOf, larger.AnyOf, larger.OneOf = nil, nil, nil // whose parts are in the shape
		unbound = append(unbound, &larger)
	}
	return unbound
}

// matchedSchema returns the schema of what a matcher lets through in the place of an
// example, nil where that goes by the example alone.
func matchedSchema(m pactfile.Matcher, example any) *openapi3.Schema {
	text := openapi3.NewStringSchema()
	switch m.Match {
	case "integer":
		return openapi3.NewIntegerSchema()
	case "number", "decimal":
		return openapi3.NewFloat64Schema().WithFormat("")
	case "boolean":
		return openapi3.NewBoolSchema()
	case "type":
		return typeOf(example)
	}
	expression, known := expressionOf(m)
	if !known {
		return nil
	}
	text.Pattern = `^(?:` + expression + `)$`
	return text
}

// typeOf returns the schema of all values of the same type.
func typeOf(example any) *openapi3.Schema {
	switch example := example.(type) {
	case string:
		return openapi3.NewStringSchema()
	case bool:
		return openapi3.NewBoolSchema()
	case float64:
		if example == float64(int64(example)) {
			return openapi3.NewIntegerSchema()
		}
		return openapi3.NewFloat64Schema().WithFormat("")
	}
	return nil
}

// expressionOf returns the regular expression of the texts that a matcher lets through.
func expressionOf(m pactfile.Matcher) (expression string, known bool) {
	switch m.Match {
	case "regex":
		return m.Regex, true
	case "notEmpty":
		return `(?s:.+)`, true
	case "include":
		text, _ := m.Value.(string)
		return `(?s:.*)` + regexp.QuoteMeta(text) + `(?s:.*)`, true
	case "semver":
		return `(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?`, true
	case "date", "time", "datetime", "timestamp":
		return dateExpression(m), true
	}
	return "", false
}

// demanded finds demands of the pact on an answer that the document does not make. A
// provider may answer otherwise: it keeps the document, but fails the pact.
func (c *checker) demanded(pointer string, l leaf) {
	if _, isList := l.value.([]any); isList {
		return // its state may see to how many items there are
	}
	if len(l.matchers) == 0 {
		c.exactly(pointer, l.value, l.shape)
		return
	}
	for _, m := range l.matchers {
		switch m.Match {
		case "equality":
			c.exactly(pointer, l.value, l.shape)
		case "regex":
			if boundsDigits(m, l.matchers) {
				c.digitsNarrower(pointer, m, l.shape)
				continue
			}
			c.narrower(pointer, m, m.Regex, l.shape)
		case "include", "semver", "notEmpty":
			c.partly(pointer, m, l)
		case "integer":
			c.whole(pointer, l.shape)
		case "date", "time", "datetime", "timestamp":
			c.apart(pointer, m, l.shape)
		}
	}
}

// exactly finds a value that the pact demands literally, though the document leaves it to the
// provider. That is a message, a number in a range, a text of some form. It allows values that
// a request or a state of the pact mentions, since the provider knows those.
func (c *checker) exactly(pointer string, value any, s shape) {
	free := false
	switch value := value.(type) {
	case string:
		free = !s.lists() && !c.mentioned[value] && (strings.Contains(value, " ") || s.hasForm())
	case float64:
		free = !s.lists() && s.hasRange() && !isGiven(value, given(c.interaction)...)
	}
	if free {
		c.add(pointer, s.line(), "the value %#v is demanded as it is, and the document leaves it open", value)
	}
}

// narrower finds a regex that an answer need not match by the document. Of values that
// the document lists, a state of the provider may leave only some.
func (c *checker) narrower(pointer string, m pactfile.Matcher, expression string, s shape) {
	if !s.allows(openapi3.TypeString) || len(s.types()) == 0 {
		return
	}
	// A dot stands for any character: no one means to leave out line breaks.
	demanded := openapi3.NewStringSchema()
	demanded.Pattern = `^(?s:` + expression + `)$`
	texts := append(slices.Clone(s), openapi3.NewStringSchema())
	for _, gap := range subset.Compare(subset.Response, texts.ref(), demanded.NewRef()).Gaps {
		if gap.Keyword == "pattern" {
			c.add(pointer, s.line(), "the document allows %q, and the %s does not", gap.Example, nameOf(m))
		}
	}
}

// nameOf returns what a message calls a matcher.
func nameOf(m pactfile.Matcher) string {
	switch m.Match {
	case "regex":
		return "regex " + m.Regex
	case "date", "time", "datetime", "timestamp":
		return m.Match + " " + formatOf(m)
	}
	return "matcher " + m.Match
}

// partly finds what a matcher wants of a text that the document does not promise. What the
// provider knows from a request or a state may be in it.
func (c *checker) partly(pointer string, m pactfile.Matcher, l leaf) {
	text, _ := m.Value.(string)
	expression, _ := expressionOf(m)
	if _, isText := l.value.(string); isText && (text == "" || !c.mentioned[text]) {
		c.narrower(pointer, m, expression, l.shape)
	}
}

// whole finds a demand for integers where the document has any numbers.
func (c *checker) whole(pointer string, s shape) {
	if s == nil || len(s.types()) == 0 {
		return
	}
	numbers := append(slices.Clone(s), openapi3.NewFloat64Schema().WithFormat(""))
	if len(subset.Compare(subset.Response, numbers.ref(), openapi3.NewIntegerSchema().NewRef()).Gaps) > 0 {
		c.add(pointer, s.line(), "the document allows numbers with a fraction, and the matcher integer does not")
	}
}

// apart finds a date or time format that matches no value that the document allows.
func (c *checker) apart(pointer string, m pactfile.Matcher, s shape) {
	demanded := openapi3.NewStringSchema()
	demanded.Pattern = `^(?:` + dateExpression(m) + `)$`
	both := append(slices.Clone(s), demanded)
	if subset.IsEmpty(both.ref()) {
		c.add(pointer, s.line(), "the matcher %s stands for %s, and the document has another form here", m.Match,
			formatOf(m))
	}
}

// lists reports whether the document lists the values.
func (s shape) lists() bool {
	return slices.ContainsFunc(s, func(schema *openapi3.Schema) bool {
		return len(schema.Enum) > 0 || schema.Const != nil
	})
}

// hasForm reports whether the document says what form a text has.
func (s shape) hasForm() bool {
	return slices.ContainsFunc(s, func(schema *openapi3.Schema) bool {
		return schema.Pattern != "" || schema.MinLength > 0 || schema.MaxLength != nil || schema.Format != ""
	})
}

// hasRange reports whether the document says between which numbers one is.
func (s shape) hasRange() bool {
	least, most := false, false
	for _, schema := range s {
		least = least || schema.Min != nil || schema.ExclusiveMin.Value != nil
		most = most || schema.Max != nil || schema.ExclusiveMax.Value != nil
	}
	return least && most
}

// textMatcher checks a matcher on a value that travels as text, in requests against
// what the document forbids, in answers against what it allows.
func (c *checker) textMatcher(pointer string, s shape, m pactfile.Matcher, examples []any, sent bool) {
	isText := s.allows(openapi3.TypeString) || len(s.types()) == 0
	switch {
	case s.hasAlternatives():
	case sent && isEither(m):
		for _, inner := range m.Rules {
			c.textMatcher(pointer, s, inner, examples, sent)
		}
	case !sent && m.Match == "regex" && isText:
		c.narrower(pointer, m, m.Regex, s)
	case !sent && m.Match == "equality":
		for _, example := range examples {
			text, _ := example.(wireText)
			c.exactNumber(pointer, string(text), s)
		}
	case sent && m.Match == "type":
		for _, example := range examples[:min(1, len(examples))] { // the others are alike
			text, _ := example.(wireText)
			c.letThrough(pointer, leaf{value: typed(string(text), s), shape: s, matchers: []pactfile.Matcher{m}})
		}
	case sent && (isText || m.Match != "regex"):
		c.letThrough(pointer, leaf{shape: s, matchers: []pactfile.Matcher{m}})
	}
}
