package registration

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// clean returns text from outside on one line, safe for a terminal and a log, cut to room
// bytes. It is cut once more after escaping, which makes text longer.
func clean(text string, room int) string {
	begins := beginning(text, room)
	safe := foreign.Line(strings.TrimSpace(begins))
	short := beginning(safe, room)
	if len(begins) < len(text) || len(short) < len(safe) {
		short += "…"
	}
	return short
}

// beginning returns the longest beginning of a text that has whole characters and at most
// room bytes.
func beginning(text string, room int) string {
	if len(text) <= room {
		return text
	}
	end := room
	for end > room-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// redact replaces a token in a text, however servers and libraries along the way have
// escaped it: by backslashes, once or more often, or as JSON, URLs and HTML do. Of a text that
// is longer than room it looks through no more than makes one that is longer still.
func redact(text, token string, room int) string {
	if token == "" {
		return text
	}
	var safe strings.Builder
	shown, i := 0, 0
	for i < len(text) && safe.Len()+i-shown <= room {
		n := spelled(text[i:], token)
		if n == 0 {
			i += max(1, backslashes(text[i:]))
			continue
		}
		safe.WriteString(text[shown:i] + "[token]")
		i += n
		shown = i
	}
	safe.WriteString(text[shown:i])
	return safe.String()
}

// spelled returns how much of a text spells the token that it begins with, 0 for none.
// Several backslashes in a row count as one: escaping multiplies them.
func spelled(text, token string) int {
	if strings.HasPrefix(text, token) {
		return len(token)
	}
	rest := text
	for i := range len(token) {
		n := spelledByte(rest, token[i], i > 0 && token[i-1] == '\\')
		if n == 0 && (i == 0 || token[i] != '\\' || token[i-1] != '\\') {
			return 0
		}
		rest = rest[n:]
	}
	return len(text) - len(rest)
}

// spelledByte is spelled for one byte; escaped says that backslashes came before the text.
func spelledByte(text string, c byte, escaped bool) int {
	slashes := backslashes(text)
	text = text[slashes:]
	n := numbered(text, c, escaped || slashes > 0)
	switch {
	case n > 0:
		return slashes + n
	case c == '\\':
		return slashes
	case strings.HasPrefix(text, string(rune(c))):
		return slashes + 1
	}
	return 0
}

func backslashes(text string) int { return len(text) - len(strings.TrimLeft(text, `\`)) }

// numbered returns how much of a text stands for a byte by its number or its name in HTML.
func numbered(text string, c byte, escaped bool) int {
	for _, prefix := range [...]string{"u00", "x", "%25", "%"} {
		end := len(prefix) + 2
		if !escaped && prefix[0] != '%' || len(text) < end || !strings.EqualFold(text[:len(prefix)], prefix) {
			continue
		}
		if n, err := strconv.ParseUint(text[len(prefix):end], 16, 8); err == nil && byte(n) == c {
			return end
		}
	}
	const longest = len("&quot;")
	if end := strings.IndexByte(text[:min(len(text), longest)], ';') + 1; end > 0 && text[0] == '&' {
		if html.UnescapeString(text[:end]) == string(rune(c)) {
			return end
		}
	}
	return 0
}
