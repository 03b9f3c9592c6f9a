package language_test

import (
	"testing"

	"github.com/llama-orch/node-registration/contracts/internal/language"
)

func of(t *testing.T, least, most uint64, expressions ...string) language.Language {
	t.Helper()
	l := language.Language{Min: least}
	if most > 0 {
		l.Max = &most
	}
	for _, expression := range expressions {
		pattern, err := language.Anywhere(expression)
		if err != nil {
			t.Fatal(err)
		}
		l.Patterns = append(l.Patterns, pattern)
	}
	return l
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name         string
		inner, outer language.Language
		want         language.Relation
		text         string
	}{
		{"anything in anything", of(t, 0, 0), of(t, 0, 0), language.Included, ""},
		{"the same pattern", of(t, 0, 0, "^[a-z]+$"), of(t, 0, 0, "^[a-z]+$"), language.Included, ""},
		{
			"the same pattern, which is too large to search", of(t, 1, 99, "^(a|b)*a(a|b){25}$"),
			of(t, 0, 99, "^(a|b)*a(a|b){25}$"), language.Included, "",
		},
		{"the same pattern, and longer texts", of(t, 0, 0, "^a*$"), of(t, 0, 2, "^a*$"), language.Exceeds, "aaa"},
		{"the same pattern, and shorter texts", of(t, 1, 2, "^a*$"), of(t, 2, 2, "^a*$"), language.Exceeds, "a"},
		{"the same, written otherwise", of(t, 0, 0, `^\d\d*$`), of(t, 0, 0, "^[0-9]+$"), language.Included, ""},
		{"a pattern for anything", of(t, 0, 0), of(t, 0, 0, `^(.|\n)*$`), language.Included, ""},
		{"a dot is no line feed", of(t, 0, 0), of(t, 0, 0, `^.*$`), language.Exceeds, "\n"},
		{"fewer letters", of(t, 0, 0, "^[a-f]+$"), of(t, 0, 0, "^[a-z]+$"), language.Included, ""},
		{"more letters", of(t, 0, 0, "^[a-z]+$"), of(t, 0, 0, "^[b-z]+$"), language.Exceeds, "a"},
		{"a pattern that is found anywhere", of(t, 0, 0, "^xay$"), of(t, 0, 0, "a"), language.Included, ""},
		{"no anchor", of(t, 0, 0, "a"), of(t, 0, 0, "^a$"), language.Exceeds, "aa"},
		{"a case that counts", of(t, 0, 0, "^(?i)k$"), of(t, 0, 0, "^[kK]$"), language.Exceeds, "\u212a"},
		{"two patterns", of(t, 0, 0, "^[a-z]+$", "^[k-z0-9]+$"), of(t, 0, 0, "^[k-z]+$"), language.Included, ""},
		{
			"one of two patterns is missed", of(t, 0, 0, "^[a-z]+$"), of(t, 0, 0, "^[a-z]+$", "x$"), language.Exceeds,
			"a",
		},
		{"a shorter text", of(t, 1, 8), of(t, 1, 64), language.Included, ""},
		{"a longer text", of(t, 0, 3), of(t, 0, 2), language.Exceeds, "aaa"},
		{"no bound", of(t, 0, 0), of(t, 0, 2), language.Exceeds, "aaa"},
		{"an empty text", of(t, 0, 0), of(t, 1, 0), language.Exceeds, ""},
		{"a bound that the pattern has", of(t, 0, 0, "^[a-z]{2,3}$"), of(t, 2, 3), language.Included, ""},
		{"a bound in characters", of(t, 0, 0, "^é{2}$"), of(t, 2, 2), language.Included, ""},
		{"a word boundary", of(t, 0, 0, `^\bfoo\b$`), of(t, 0, 0, `^foo$`), language.Included, ""},
		{"a pattern that nothing matches", of(t, 0, 0, `^a\Bb`, `^b`), of(t, 0, 0, `^c$`), language.Included, ""},
		{"an escape of JavaScript", of(t, 0, 0, `^\u0061$`), of(t, 0, 0, `^a$`), language.Included, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			verdict, text := language.Compare(test.inner, test.outer)
			if verdict != test.want || text != test.text {
				t.Errorf("verdict %d, text %q; want %d, %q", verdict, text, test.want, test.text)
			}
		})
	}
}

// Patterns that stand for very many instructions take no longer than others.
func TestCompareBoundsItsWork(t *testing.T) {
	large := of(t, 0, 0, "(a?b?c?d?e?f?g?h?){100}x", "([a-z]*,){200}")
	if verdict, _ := language.Compare(large, of(t, 0, 0, "(x{0,30}y?){30}$")); verdict == language.Included {
		t.Error("a comparison that was not finished says that the one is in the other")
	}
}

// A comparison that would take too long ends without a verdict.
func TestCompareGivesUp(t *testing.T) {
	inner, outer := of(t, 0, 0, "^(a|b)*a(a|b){25}$"), of(t, 0, 0, "^(a|b)*b(a|b){25}$", "^(a|b)*a(a|b){24}$")
	if verdict, _ := language.Compare(inner, outer); verdict == language.Included {
		t.Error("a comparison that was not finished says that the languages are the same")
	}
}

func TestPatternThatCannotBeRead(t *testing.T) {
	for _, expression := range []string{"(?!a)b", "("} {
		if _, err := language.Whole(expression); err == nil {
			t.Errorf("no error for %s", expression)
		}
	}
}
