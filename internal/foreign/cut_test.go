package foreign_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llama-orch/node-registration/internal/foreign"
)

func TestCut(t *testing.T) {
	for _, text := range []string{
		"", "short", strings.Repeat("x", 20), strings.Repeat("é", 21),
		strings.Repeat("é", 9) + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		got := foreign.Cut(text, 20)
		if utf8.RuneCountInString(got) > 20 || (utf8.RuneCountInString(text) <= 20) != (got == text) {
			t.Errorf("%q became %q", text, got)
		}
	}
}
