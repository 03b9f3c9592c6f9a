package subset

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/language"
	"github.com/llama-orch/node-registration/internal/plural"
)

// formats are those of texts that the document holds to, as patterns.
var formats = map[string]string{
	"date":      `^\d{4}-\d{2}-\d{2}$`,
	"date-time": `^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$`,
	"time":      `^\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?$`,
	"uuid":      `^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`,
	"ipv4":      `^(\d{1,3}\.){3}\d{1,3}$`,
	"byte":      `^[A-Za-z0-9+/]*={0,2}$`,
	"uri":       `^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z_a-z~\[\]]*$`,
}

// isFree reports whether a format says how to show a text, and not what it may be.
func isFree(format string) bool {
	return format == "" || format == "password" || format == "binary"
}

// text compares strings.
func (c *comparer) text(inner values, outer *openapi3.Schema) {
	have := c.texts(inner)
	named := map[string]bool{}
	for _, schema := range inner.conjuncts {
		named[schema.Format], named[schema.Pattern] = true, true
	}
	c.bounds(inner, have, outer)
	if !named[outer.Pattern] {
		c.language(inner, outer, have, outer.Pattern, "pattern", "that do not match "+outer.Pattern)
	}
	switch known := formats[outer.Format]; {
	case isFree(outer.Format) || named[outer.Format]:
	case known != "":
		c.language(inner, outer, have, known, "format", "that are no "+outer.Format)
	default:
		c.add(inner, outer, "format", "strings that are no %s", outer.Format)
	}
}

// texts returns the language of the strings among some values.
func (c *comparer) texts(inner values) language.Language {
	have := language.Language{}
	for _, schema := range inner.conjuncts {
		have.Min = max(have.Min, schema.MinLength)
		if most := schema.MaxLength; most != nil && (have.Max == nil || *most < *have.Max) {
			have.Max = most
		}
		c.pattern(&have, schema.Pattern)
		c.pattern(&have, formats[schema.Format])
	}
	return have
}

// areListed reports whether some values are all strings of a list, as a pattern may say.
func (c *comparer) areListed(inner values, list []any) bool {
	if have := inner.types(); len(have) != 1 || !have.has(typeString) {
		return false
	}
	var texts []string
	for _, value := range list {
		if text, isText := value.(string); isText {
			texts = append(texts, regexp.QuoteMeta(text))
		}
	}
	if texts == nil { // an empty alternation would allow the empty string
		return false
	}
	want := language.Language{}
	c.pattern(&want, "^(?:"+strings.Join(texts, "|")+")$")
	verdict, _ := language.Compare(c.texts(inner), want)
	return verdict == language.Included
}

// IsEmpty reports whether a schema allows no string.
func IsEmpty(ref *openapi3.SchemaRef) bool {
	nothing := openapi3.NewStringSchema()
	nothing.Pattern = `^\b\B$`
	inner := valuesOf(ref).narrow(typeString)
	c := comparer{seen: map[string]bool{}}
	c.schema(inner, nothing)
	return len(c.gaps) == 0 && !c.unsure
}

// bounds compares lengths.
func (c *comparer) bounds(inner values, have language.Language, outer *openapi3.Schema) {
	if least := outer.MinLength; least > have.Min {
		if verdict, _ := language.Compare(have, language.Language{Min: least}); verdict != language.Included {
			c.add(inner, outer, "minLength", "strings of fewer than %s", plural.Count(least, "character"))
		}
	}
	if most := outer.MaxLength; most != nil && (have.Max == nil || *have.Max > *most) {
		if verdict, _ := language.Compare(have, language.Language{Max: most}); verdict != language.Included {
			c.add(inner, outer, "maxLength", "strings of more than %s", plural.Count(*most, "character"))
		}
	}
}

// pattern adds a pattern to a language. One that cannot be read leaves it wider than
// it is.
func (c *comparer) pattern(l *language.Language, expression string) {
	if expression == "" {
		return
	}
	pattern, err := language.Anywhere(expression)
	if err != nil {
		c.unsure = true
		return
	}
	l.Patterns = append(l.Patterns, pattern)
}

// language compares what is sent with an expression that outer has for it.
func (c *comparer) language(
	inner values, outer *openapi3.Schema, have language.Language, expression, keyword, lack string,
) {
	want := language.Language{}
	c.pattern(&want, expression)
	switch verdict, text := language.Compare(have, want); verdict {
	case language.Exceeds:
		c.add(inner, outer, keyword, "strings %s, such as %q", lack, text)
		c.gaps[len(c.gaps)-1].Example = text
	case language.Undecided:
		c.unsure = true
	}
}

// interval is a range of numbers.
type interval struct {
	least, most        float64
	overLeast, belowIt bool // the ends are not part of it
}

// intervalOf returns the numbers that a schema itself allows.
func intervalOf(s *openapi3.Schema) interval {
	i := interval{least: math.Inf(-1), most: math.Inf(1)}
	if s.Format == "int32" {
		i.least, i.most = math.MinInt32, math.MaxInt32
	}
	if s.Min != nil {
		i = i.and(interval{*s.Min, math.Inf(1), isTrue(s.ExclusiveMin.Bool), false})
	}
	if s.Max != nil {
		i = i.and(interval{math.Inf(-1), *s.Max, false, isTrue(s.ExclusiveMax.Bool)})
	}
	if least := s.ExclusiveMin.Value; least != nil {
		i = i.and(interval{*least, math.Inf(1), true, false})
	}
	if most := s.ExclusiveMax.Value; most != nil {
		i = i.and(interval{math.Inf(-1), *most, false, true})
	}
	return i
}

func isTrue(b *bool) bool { return b != nil && *b }

func (i interval) and(other interval) interval {
	if other.least > i.least || other.least == i.least && other.overLeast {
		i.least, i.overLeast = other.least, other.overLeast
	}
	if other.most < i.most || other.most == i.most && other.belowIt {
		i.most, i.belowIt = other.most, other.belowIt
	}
	return i
}

// whole returns the same range of integers with ends that are part of it.
func (i interval) whole() interval {
	least, most := math.Ceil(i.least), math.Floor(i.most)
	if i.overLeast && least == i.least {
		least++
	}
	if i.belowIt && most == i.most {
		most--
	}
	return interval{least: least, most: most}
}

// number compares numbers.
func (c *comparer) number(inner values, outer *openapi3.Schema) {
	have, want := interval{least: math.Inf(-1), most: math.Inf(1)}, intervalOf(outer)
	var step *big.Rat
	for _, schema := range inner.conjuncts {
		have = have.and(intervalOf(schema))
		step = commonMultiple(step, unitOf(schema))
	}
	if !inner.types().has(typeFraction) {
		have, want = have.whole(), want.whole()
		step = commonMultiple(step, big.NewRat(1, 1))
	}
	if have.least < want.least || have.least == want.least && want.overLeast && !have.overLeast {
		c.add(inner, outer, "minimum", "numbers %s %s", either(want.overLeast, "up to", "below"), decimal(want.least))
	}
	if have.most > want.most || have.most == want.most && want.belowIt && !have.belowIt {
		c.add(inner, outer, "maximum", "numbers %s %s", either(want.belowIt, "from", "above"), decimal(want.most))
	}
	if unit := unitOf(outer); unit != nil && (step == nil || !new(big.Rat).Quo(step, unit).IsInt()) {
		c.add(inner, outer, "multipleOf", "numbers that are no multiple of %s", decimal(*outer.MultipleOf))
	}
}

// unitOf returns the number whose multiples a schema allows, exactly as the document writes
// it; nil for none.
func unitOf(schema *openapi3.Schema) *big.Rat {
	if schema.MultipleOf == nil {
		return nil
	}
	unit, isNumber := new(big.Rat).SetString(decimal(*schema.MultipleOf))
	if !isNumber || unit.Sign() <= 0 {
		return nil
	}
	return unit
}

// commonMultiple returns the least number that is a multiple of both; nil stands for none.
func commonMultiple(a, b *big.Rat) *big.Rat {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	left, right := new(big.Int).Mul(a.Num(), b.Denom()), new(big.Int).Mul(b.Num(), a.Denom())
	shared := new(big.Int).GCD(nil, nil, left, right)
	return new(big.Rat).SetFrac(left.Mul(left, right.Div(right, shared)), new(big.Int).Mul(a.Denom(), b.Denom()))
}

func either(which bool, yes, no string) string {
	if which {
		return yes
	}
	return no
}

func decimal(number float64) string {
	return strconv.FormatFloat(number, 'f', -1, 64)
}
