package nodeapi

import (
	"regexp"
	"testing"
	"unicode/utf8"
)

// expressions are those that a table is made of, and those that none can be made of.
var expressions = map[string]bool{
	`^[A-Za-z0-9][A-Za-z0-9._:-]*$`:         true,
	`^[!-~]+$`:                              true,
	`^[^\x00-\x1f\x7f]+$`:                   true,
	`^[a-z][^a-z]*$`:                        true,
	`^[^a-z][^0-9]*$`:                       true,
	`^[\x00-\x7f]+$`:                        true,
	`^[^a-z][a-z\x7f]*$`:                    false,
	`^[^a-z][a-z]*$`:                        false, // the second byte of é is in neither
	`^[a-zé]+$`:                             false,
	`^[a-z]*$`:                              false,
	`^[a-z][0-9]+$`:                         false,
	`b[a-z]+$`:                              false,
	`^[a-z]+b`:                              false,
	`^[a-z]+b$`:                             false,
	`^|[a-z]+|$`:                            false,
	`^[\x{80}-\x{10fffe}]+$`:                false,
	`^[\x{81}-\x{10ffff}]+$`:                false,
	`[a-z]+$`:                               false,
	`^a[b-z]*$`:                             false,
	`^([0-9]+(\.[0-9]+){0,3})?$`:            false,
	`^https?://[^\s/?#]+(/[^\s?#]*)?$`:      false,
	`(?m)^[a-z]+$`:                          false,
	`^[\x{80}-\x{10ffff}][\x{81}-\x{ff}]*$`: false,
}

func TestTables(t *testing.T) {
	for expression, want := range expressions {
		if _, _, ok := byteSets(expression); ok != want {
			t.Errorf("%s takes a table: %t, want %t", expression, ok, want)
		}
	}
}

func FuzzMatcher(f *testing.F) {
	for _, text := range []string{
		"", "a", "é", "aé", "éa", "a-9", "-a", "a\n", "\x7f", "a b", "12.1", "http://a", "0",
		"\u0080", "\u00ff", "\U0010ffff",
	} {
		f.Add(text)
	}
	type pair struct {
		expression *regexp.Regexp
		matches    func(string) bool
	}
	var pairs []pair
	for expression := range expressions {
		pairs = append(pairs, pair{regexp.MustCompile(expression), matcher(expression)})
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("a rule looks at that first")
		}
		for _, p := range pairs {
			if got, want := p.matches(text), p.expression.MatchString(text); got != want {
				t.Errorf("%s matches %q: %t, want %t", p.expression, text, got, want)
			}
		}
	})
}
