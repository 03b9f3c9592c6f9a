package foreign_test

import (
	"html"
	"math"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/foreign"
)

func TestRedact(t *testing.T) {
	const token = `key+"a\b"/<0123456789>`
	quoted := strconv.Quote(token)
	quoted = quoted[1 : len(quoted)-1]
	for name, spelled := range map[string]string{
		"as it is":           token,
		"quoted":             quoted,
		"quoted twice":       strings.ReplaceAll(quoted, `\`, `\\`),
		"in a URL":           url.QueryEscape(token),
		"in a URL's URL":     url.QueryEscape(url.QueryEscape(token)),
		"in HTML":            html.EscapeString(token),
		"by its numbers":     strings.ReplaceAll(token, "k", `\u006b`),
		"by its hex numbers": strings.ReplaceAll(token, "k", `\x6B`),
		"cut off":            token[:10],
		"an escape cut off":  `\u006bey+"a\b"\u00`,
	} {
		if got := foreign.Redact("a "+spelled+" b", token, math.MaxInt); !strings.HasPrefix(got, "a [token]") ||
			!strings.HasSuffix(got, " b") || len(got) > len("a [token]/<0\\u00 b") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, text := range []string{"", "key+", `\\\\\\\\`, "k%65y", "KEY+\"A"} {
		if got := foreign.Redact(text, token, math.MaxInt); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := foreign.Redact("text", "", math.MaxInt); got != "text" {
		t.Errorf("without a token: %q", got)
	}
}

// The beginning is longer than the room, by which its reader sees that more follows.
func TestRedactTheBeginningOfALongText(t *testing.T) {
	for text, room := range map[string]int{
		"0123456789": 4, "012secret789": 4, "0secret2345": 4, `\u0073ecret\u0073ecret`: 10,
	} {
		if got := foreign.Redact(text, "secret", room); len(got) <= room || strings.Contains(got, "ecret") {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// A token may hold what looks like an escape, and be repeated as it is, or escaped once more.
func TestRedactTokenLikeAnEscape(t *testing.T) {
	for _, token := range []string{
		"abc%25defghijkl", "abcdefgh%25REST", "a%2525b", "abc&amp;defghi", "abc&#38;REST",
		`abc\x5cREST`, `abc\u005cREST`,
		`a\\b%25"c&lt;REST`, "%25%25%25%25", `\\\\REST`,
	} {
		quoted := strconv.Quote(token)
		for _, spelled := range []string{
			token, quoted[1 : len(quoted)-1], url.QueryEscape(token), html.EscapeString(token),
			url.QueryEscape(url.QueryEscape(token)),
		} {
			if got := foreign.Redact("a "+spelled+" b", token, math.MaxInt); got != "a [token] b" {
				t.Errorf("%s as %s: %q", token, spelled, got)
			}
		}
	}
}

// Of a short token all of it is needed: its beginning may be any word.
func TestRedactShortToken(t *testing.T) {
	if got := foreign.Redact("abc abcd", "abcd", math.MaxInt); got != "abc [token]" {
		t.Errorf("%q", got)
	}
}
