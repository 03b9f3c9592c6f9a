package conformance

import (
	"fmt"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// ruledText is a text at the bound of a rule, and the name of that rule.
type ruledText struct{ rule, value string }

// texts returns the shortest, the longest and the strangest texts that a schema allows.
func texts(schema *openapi3.Schema) []ruledText {
	found := []ruledText{{fmt.Sprintf("minLength %d", schema.MinLength), fill(schema, int(schema.MinLength), plainly)}}
	if schema.MaxLength == nil {
		return found
	}
	most := int(*schema.MaxLength)
	return append(found,
		ruledText{fmt.Sprintf("maxLength %d", most), fill(schema, most, plainly)},
		ruledText{wording(schema) + ", all parts", fillParts(schema, most)},
		ruledText{wording(schema) + ", strangest", fill(schema, min(most, oddities), strangely)},
		ruledText{wording(schema) + ", strangest and longest", fill(schema, most, doubly)},
	)
}

// blanks returns texts that a schema may allow, in which there is nothing to see.
func blanks(schema *openapi3.Schema) []ruledText {
	return []ruledText{
		{wording(schema) + ", spaces alone", "   "},
		{wording(schema) + ", blanks of all kinds", "\u00a0\u2003\u3000\u2028\u0085\u200b "},
	}
}

// wording names the rule for what a text consists of.
func wording(schema *openapi3.Schema) string {
	switch {
	case schema.Pattern != "":
		return "pattern " + schema.Pattern
	case len(schema.Enum) > 0:
		return fmt.Sprintf("enum %v", schema.Enum)
	}
	return "any text"
}

// choose picks the nth character of those in a class.
type choose func(class []rune, n int) rune

// plainly picks in turn letters, large ones too, and digits, if there are any.
func plainly(class []rune, n int) rune {
	var usable []rune
	for _, r := range "n0ode9xZ" {
		if contains(class, r) {
			usable = append(usable, r)
		}
	}
	if len(usable) > 0 {
		return usable[n%len(usable)]
	}
	return class[0]
}

// odd are characters that software trips over, and a letter with an accent that composing would change.
const odd = ` ._:-~!*'()"\/&<>%+=@,;|{}[]^$#?` + "`üe" + accent + `ß日本語😀𝔘ñ` + "\u200b\u00a0\u2028\u0085"

// accent makes a letter odd that is before it.
const accent = "\u0301"

// oddities is how many odd characters there are, and one more: a text of all of them ends with a space,
// as it begins.
var oddities = utf8.RuneCountInString(odd) + 1

// doubly picks each of the odd characters twice: some readers take exception to "..".
func doubly(class []rune, n int) rune { return strangely(class, n/2) }

// strangely picks in turn the odd characters that are in the class.
func strangely(class []rune, n int) rune {
	var usable []rune
	for _, r := range odd {
		plain := unicode.IsLower(r) && r < utf8.RuneSelf && !contains(class, []rune(accent)[0])
		if contains(class, r) && !plain {
			usable = append(usable, r)
		}
	}
	switch {
	case len(usable) > 0:
		return usable[n%len(usable)]
	case contains(class, '0'): // which is no letter
		return '0'
	}
	return class[len(class)-1]
}

// contains reports whether a class contains a character. A class is a list of pairs of
// bounds.
func contains(class []rune, r rune) bool {
	for i := 0; i+1 < len(class); i += 2 {
		if class[i] <= r && r <= class[i+1] {
			return true
		}
	}
	return false
}

// fill returns a text of a length that matches the pattern of a schema, or as long a one
// as the pattern allows.
func fill(schema *openapi3.Schema, length int, pick choose) string {
	return (&filler{pick: pick}).fill(schema, length)
}

// fillParts returns a text with each part of the pattern of a schema as often as it may come. A part
// without an upper limit comes once.
func fillParts(schema *openapi3.Schema, length int) string {
	return (&filler{pick: plainly, parts: true}).fill(schema, length)
}

func (f *filler) fill(schema *openapi3.Schema, length int) string {
	pattern := schema.Pattern
	if pattern == "" {
		pattern = `^[^\x00-\x1f\x7f]*$`
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	f.spare = max(0, length-shortest(tree))
	f.write(tree)
	return string(f.text)
}

// filler writes a text that matches an expression.
type filler struct {
	pick  choose
	parts bool // whether to write parts, and not as much as fits
	spare int  // how many characters more than the fewest are still to be written
	text  []rune
}

func (f *filler) write(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		f.text = append(f.text, re.Rune...)
	case syntax.OpCharClass:
		f.text = append(f.text, f.pick(re.Rune, len(f.text)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		f.text = append(f.text, f.pick([]rune{' ', unicode.MaxRune}, len(f.text)))
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			f.write(sub)
		}
	case syntax.OpAlternate:
		f.write(re.Sub[0])
	case syntax.OpStar:
		f.repeat(re.Sub[0], 0, -1)
	case syntax.OpPlus:
		f.repeat(re.Sub[0], 1, -1)
	case syntax.OpQuest:
		f.repeat(re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		f.repeat(re.Sub[0], re.Min, re.Max)
	}
}

// repeat writes an expression as often as it is required, and further while there is room.
func (f *filler) repeat(re *syntax.Regexp, least, most int) {
	for range least {
		f.write(re)
	}
	if f.parts && most < 0 {
		most = max(least, 1)
	}
	cost := shortest(re)
	for n := least; (most < 0 || n < most) && cost > 0 && f.spare >= cost; n++ {
		f.spare -= cost
		f.write(re)
	}
}

// shortest returns how many characters write writes at least, which takes the first of alternatives.
func shortest(re *syntax.Regexp) int {
	total := 0
	switch re.Op {
	case syntax.OpLiteral:
		return utf8.RuneCountInString(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			total += shortest(sub)
		}
	case syntax.OpAlternate:
		return shortest(re.Sub[0])
	case syntax.OpPlus:
		return shortest(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * shortest(re.Sub[0])
	}
	return total
}
