package foreign

import (
	"html"
	"strconv"
	"strings"
)

// enough is how many bytes of a longer token are enough to recognise it: the rest may have been cut off.
const enough = 8

// Redact replaces a token in a text, however servers and libraries along the way have
// escaped it: see Spelled. Of a text that is longer than room it returns no more than is longer still:
// the rest is not looked through.
func Redact(text, token string, room int) string {
	if token == "" {
		return text
	}
	var safe strings.Builder
	shown, i := 0, 0
	for i < len(text) && safe.Len()+i-shown <= room {
		n := Spelled(text[i:], token, enough)
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

// Spelled returns how many bytes at the beginning of a text spell a secret, or as much of its
// beginning as is enough to recognise it, in bytes; 0 if none do. The secret may be escaped by
// backslashes, once or more often, or as JSON, URLs and HTML do. Several backslashes in a row count as
// one: escaping multiplies them.
func Spelled[T string | []byte](text T, secret string, enough int) int {
	at, matched := 0, 0
	for ; matched < len(secret); matched++ {
		c, again := secret[matched], matched > 0 && secret[matched-1] == '\\'
		n := spelledByte(text[at:], c, again)
		if n == 0 && (c != '\\' || !again) {
			break
		}
		at += n
	}
	if matched < min(len(secret), enough) {
		return 0
	}
	return at
}

// spelledByte is Spelled for one byte; escaped says that backslashes came before the text.
func spelledByte[T string | []byte](text T, c byte, escaped bool) int {
	slashes := backslashes(text)
	text = text[slashes:]
	n := numbered(text, c, escaped || slashes > 0)
	switch {
	case n > 0:
		return slashes + n
	case c == '\\':
		return slashes
	case len(text) > 0 && text[0] == c:
		return slashes + 1
	}
	return 0
}

func backslashes[T string | []byte](text T) int {
	n := 0
	for n < len(text) && text[n] == '\\' {
		n++
	}
	return n
}

// numbered returns how much of a text stands for a byte by its number or its name in HTML.
func numbered[T string | []byte](text T, c byte, escaped bool) int {
	if len(text) == 0 || text[0] != '%' && text[0] != '&' && !escaped {
		return 0
	}
	const longest = len("&quot;")
	start := string(text[:min(len(text), longest)])
	for _, prefix := range [...]string{"u00", "x", "%25", "%"} {
		end := len(prefix) + 2
		if !escaped && prefix[0] != '%' || len(start) < end || !strings.EqualFold(start[:len(prefix)], prefix) {
			continue
		}
		if n, err := strconv.ParseUint(start[len(prefix):end], 16, 8); err == nil && byte(n) == c {
			return end
		}
	}
	if end := strings.IndexByte(start, ';') + 1; end > 0 && start[0] == '&' {
		if html.UnescapeString(start[:end]) == string(rune(c)) {
			return end
		}
	}
	return 0
}
