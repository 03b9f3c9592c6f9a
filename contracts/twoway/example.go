package twoway

import (
	"math"
	"regexp"

	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// wireText is an example in a path, a query or a header, which is text whatever it stands for.
type wireText string

// spellings are the expressions of what matchers let through where everything is text.
var spellings = map[string]string{
	"integer": `-?\d+`, "number": `-?\d+(\.\d+)?([eE][-+]?\d+)?`, "decimal": `-?\d+\.\d+`, "boolean": `true|false`,
}

// examplesFit checks that the examples match their own matcher. As the document is held against
// the examples, a matcher that fits them is one that it can agree to.
func (c *checker) examplesFit(pointer string, examples []any, m pactfile.Matcher) {
	expression, ofTexts := expressionOf(m)
	onWire := ofTexts
	if !ofTexts {
		expression, onWire = spellings[m.Match]
	}
	matches, err := wholeMatch(expression)
	if err != nil {
		c.add(pointer, 0, "the regex cannot be checked: %v", err)
		return
	}
	for _, example := range examples {
		fits := hasTypeOf(example, m)
		switch text := example.(type) {
		case string:
			fits = fits && (!ofTexts || matches(text))
		case wireText:
			fits = !onWire || matches(string(text))
		}
		if !fits {
			c.add(pointer, 0, "the example %#v does not match its own %s", example, nameOf(m))
		}
	}
}

// hasTypeOf reports whether a value is of the type that a matcher lets through, if it lets through
// only one.
func hasTypeOf(value any, m pactfile.Matcher) bool {
	number, isNumber := value.(float64)
	switch m.Match {
	case "null":
		return value == nil
	case "boolean":
		_, isBoolean := value.(bool)
		return isBoolean
	case "number", "decimal":
		return isNumber
	case "integer":
		return isNumber && number == math.Trunc(number)
	}
	return true
}

// inside returns the values that are inside of some.
func inside(values []any) []any {
	var inner []any
	for _, isItem := range []bool{false, true} {
		all := pactfile.Path{Steps: []pactfile.Step{{Name: "*", Item: isItem}}}
		for _, value := range values {
			inner = append(inner, all.Select(value)...)
		}
	}
	return inner
}

// wholeMatch compiles a regex as Pact means it: it has to match from start to end.
func wholeMatch(regex string) (func(string) bool, error) {
	compiled, err := regexp.Compile(`\A(?:` + regex + `)\z`)
	if err != nil {
		return nil, err
	}
	return compiled.MatchString, nil
}
