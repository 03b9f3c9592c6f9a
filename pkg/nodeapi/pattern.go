package nodeapi

import (
	"regexp"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// matcher returns a function that reports whether valid UTF-8 matches a regular expression.
// Most expressions of the contract are as simple as ^[a-z][a-z0-9]*$: those take a table, which
// is ten times as fast.
func matcher(expression string) func(text string) bool {
	if first, rest, ok := byteSets(expression); ok {
		return func(text string) bool { return text != "" && first[text[0]] && rest.hasAll(text[1:]) }
	}
	return regexp.MustCompile(expression).MatchString
}

// byteSet is a class of characters, by their bytes in UTF-8: it has all characters beyond ASCII
// or none of them.
type byteSet [256]bool

func (s *byteSet) hasAll(text string) bool {
	for i := range len(text) {
		if !s[text[i]] {
			return false
		}
	}
	return true
}

// byteSets returns the classes of ^[first][rest]*$, and those of ^[rest]+$, where both are one.
// It reports false for any other expression.
func byteSets(expression string) (first, rest *byteSet, ok bool) {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil || parsed.Op != syntax.OpConcat {
		return nil, nil, false
	}
	parts := parsed.Sub
	last := len(parts) - 1
	if parts[0].Op != syntax.OpBeginText || parts[last].Op != syntax.OpEndText {
		return nil, nil, false
	}
	switch parts = parts[1:last]; {
	case len(parts) == 1 && parts[0].Op == syntax.OpPlus:
		rest = newByteSet(parts[0].Sub[0])
		first = rest
	case len(parts) == 2 && parts[1].Op == syntax.OpStar:
		first, rest = newByteSet(parts[0]), newByteSet(parts[1].Sub[0])
	}
	if first == nil || rest == nil {
		return nil, nil, false
	}
	// The second byte of a character is looked up in rest, wherever the character is.
	return first, rest, rest[utf8.RuneSelf] || !first[utf8.RuneSelf]
}

// newByteSet returns a class of characters, and nil if it is none that a byteSet can be.
func newByteSet(class *syntax.Regexp) *byteSet {
	if class.Op != syntax.OpCharClass {
		return nil
	}
	set := new(byteSet)
	for i := 0; i < len(class.Rune); i += 2 {
		low, high := class.Rune[i], class.Rune[i+1]
		if high > unicode.MaxASCII && (low > utf8.RuneSelf || high < unicode.MaxRune) {
			return nil
		}
		for b := low; b <= min(high, unicode.MaxLatin1); b++ {
			set[b] = true
		}
	}
	return set
}
