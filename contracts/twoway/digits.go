package twoway

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/language"
	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// Pact has no matcher for a range of numbers. A rule that has both a matcher for numbers and a
// regex stands in for one. Pact applies the regex to the digits of the number.

// boundsDigits reports whether a matcher is such a regex among the matchers of its rule.
func boundsDigits(m pactfile.Matcher, rule []pactfile.Matcher) bool {
	return m.Match == "regex" && slices.ContainsFunc(rule, func(other pactfile.Matcher) bool {
		return other.Match == "integer" || other.Match == "number"
	})
}

// digitsMatch checks that numbers match the regex that bounds them.
func (c *checker) digitsMatch(pointer string, examples []any, regex pactfile.Matcher) {
	var texts []any
	for _, example := range examples {
		text, _ := json.Marshal(example)
		texts = append(texts, wireText(text))
	}
	c.examplesFit(pointer, texts, regex)
}

// digitsBeyond finds numbers that the matchers of a request allow and the document forbids.
func (c *checker) digitsBeyond(pointer string, l leaf) {
	sent := language.Language{Patterns: patterns(anyNumber)}
	for _, m := range l.matchers {
		if m.Match == "integer" {
			sent.Patterns = append(sent.Patterns, patterns(anyInteger)...)
		} else if m.Match == "regex" {
			sent.Patterns = append(sent.Patterns, patterns(m.Regex)...)
		}
	}
	for _, schema := range l.shape {
		allowed := rangeOf(schema)
		for _, keyword := range slices.Sorted(maps.Keys(allowed)) {
			verdict, number := language.Compare(sent, language.Language{Patterns: patterns(allowed[keyword])})
			if verdict == language.Exceeds {
				c.add(pointer, line(schema.Origin, keyword), "the regex lets through %s, which the document forbids",
					number)
			}
		}
	}
}

// digitsNarrower finds a regex that a number of an answer need not match by the document.
func (c *checker) digitsNarrower(pointer string, m pactfile.Matcher, s shape) {
	answered := language.Language{Patterns: patterns(anyNumber)}
	for _, schema := range s {
		for _, allowed := range rangeOf(schema) {
			answered.Patterns = append(answered.Patterns, patterns(allowed)...)
		}
	}
	verdict, number := language.Compare(answered, language.Language{Patterns: patterns(m.Regex)})
	if verdict == language.Exceeds {
		c.add(pointer, s.line(), "the document allows %s, and the regex %s does not", number, m.Regex)
	}
}

const (
	anyInteger = `-?(0|[1-9][0-9]*)`
	anyNumber  = anyInteger + `(\.[0-9]+)?`
)

// patterns returns the pattern of an expression that has to match from start to end, none if it
// cannot be read.
func patterns(expression string) []language.Pattern {
	pattern, err := language.Whole(expression)
	if err != nil {
		return nil // which is found where the examples are matched
	}
	return []language.Pattern{pattern}
}

// rangeOf returns expressions of the digits that a schema allows, by keyword. Bounds below
// zero, and those with a fraction, count as none.
func rangeOf(s *openapi3.Schema) map[string]string {
	allowed := map[string]string{}
	if s.Type.Is(openapi3.TypeInteger) {
		allowed["type"] = anyInteger
	}
	if s.Min != nil && isWhole(*s.Min) {
		allowed["minimum"] = from(strconv.FormatFloat(*s.Min, 'f', 0, 64))
	}
	if s.Max != nil && isWhole(*s.Max) {
		allowed["maximum"] = "-.*|" + upTo(strconv.FormatFloat(*s.Max, 'f', 0, 64))
	}
	return allowed
}

func isWhole(bound float64) bool { return bound >= 0 && bound == math.Trunc(bound) }

// upTo returns an expression of the numbers from zero to one that is given by its digits.
// A fraction may follow the digits, except those of the greatest number.
func upTo(most string) string {
	smaller := ""
	if len(most) > 1 {
		smaller = fmt.Sprintf("|[1-9][0-9]{0,%d}", len(most)-2)
	}
	for i, digit := range []byte(most) {
		if least := leastDigit(i, most); digit > least {
			smaller += fmt.Sprintf("|%s[%c-%c][0-9]{%d}", most[:i], least, digit-1, len(most)-i-1)
		}
	}
	return fmt.Sprintf(`(0%s)(\.[0-9]+)?|%s`, smaller, regexp.QuoteMeta(most))
}

// from returns an expression of the numbers from one on that is given by its digits.
func from(least string) string {
	greater := fmt.Sprintf("%s|[1-9][0-9]{%d,}", least, len(least))
	for i, digit := range []byte(least) {
		if digit < '9' {
			greater += fmt.Sprintf("|%s[%c-9][0-9]{%d}", least[:i], digit+1, len(least)-i-1)
		}
	}
	return fmt.Sprintf(`(%s)(\.[0-9]+)?`, greater)
}

// leastDigit returns the smallest digit at a position of a number: only a single one may be 0.
func leastDigit(position int, number string) byte {
	if position == 0 && len(number) > 1 {
		return '1'
	}
	return '0'
}
