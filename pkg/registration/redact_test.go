package registration_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// What an error repeats has a limit, within which characters are whole. What is cut off shows.
func TestWhatAnErrorRepeatsIsCutBetweenCharacters(t *testing.T) {
	for name, text := range map[string]string{
		"one byte":                    strings.Repeat("x", 2000),
		"two bytes":                   strings.Repeat("é", 2000),
		"two bytes, not at the start": "x" + strings.Repeat("é", 2000),
		"four bytes":                  "xy" + strings.Repeat("😀", 2000),
		"two bytes behind an escape":  "\x1bx" + strings.Repeat("é", 2000),
		"four bytes behind an escape": "\x1b" + strings.Repeat("😀", 2000) + "x",
		"longer when escaped":         strings.Repeat("\x1b", 1000),
		"short":                       "x\x1bé",
	} {
		w := &wire{answer: func(int, request) answer { return plain(http.StatusBadRequest, text) }}
		var refusal *registration.Error
		if err := newNode(t, config(t, w)).Register(t.Context()); !errors.As(err, &refusal) {
			t.Fatal(err)
		}
		kept, isCut := strings.CutSuffix(refusal.Detail, "…")
		if !utf8.ValidString(kept) || len(kept) > 1024 || isCut == (name == "short") || isCut && len(kept) < 1021 {
			t.Errorf("%s: %d bytes, cut %t: %q", name, len(kept), isCut, refusal.Detail)
		}
	}
}
