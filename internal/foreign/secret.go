package foreign

import (
	"html"
	"slices"
	"strconv"
	"strings"
)

// enough is how many bytes of a longer token are enough to recognise it: the rest may have been cut off.
const enough = 8

// Redact replaces a token in a text, however servers and libraries along the way have
// escaped it: see Spelled. Of a text longer than room it looks through, and returns, only a beginning of
// more than room bytes.
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

// Spelled returns how many bytes at the beginning of a text spell a secret; 0 if none do. The first
// bytes of the secret will do, if they are enough to recognise it. The secret may be escaped by
// backslashes, once or more often, or as JSON, URLs and HTML do. Several backslashes in a row count as
// one: escaping multiplies them.
func Spelled[T string | []byte](text T, secret string, enough int) int {
	var rooms [2][8]int
	ends, next := append(rooms[0][:0], 0), rooms[1][:0]
	matched := 0
	for ; matched < len(secret); matched++ {
		escaped := matched > 0 && secret[matched-1] == '\\'
		next = next[:0]
		for _, from := range ends {
			next = appendEnds(next, text, from, secret[matched], escaped)
		}
		if len(next) == 0 {
			break
		}
		ends, next = next, ends
	}
	if matched < min(len(secret), enough) {
		return 0
	}
	return slices.Max(ends)
}

// appendEnds appends where a byte of a secret may end that begins at from; escaped says that backslashes
// came before it. What looks like an escape may be the secret as it is.
func appendEnds[T string | []byte](ends []int, text T, from int, c byte, escaped bool) []int {
	slashes := backslashes(text[from:])
	escaped, from = escaped || slashes > 0, from+slashes
	rest := text[from:]
	switch {
	case c == '\\' && escaped:
		ends = appendNew(ends, from)
	case c != '\\' && len(rest) > 0 && rest[0] == c:
		ends = appendNew(ends, from+1)
	}
	if len(rest) == 0 || rest[0] != '%' && rest[0] != '&' && !escaped {
		return ends
	}
	const longest = len("&quot;")
	start := string(rest[:min(len(rest), longest)])
	for _, prefix := range [...]string{"u00", "x", "%25", "%"} {
		if isNumber := prefix[0] == '%' || escaped; isNumber && numbered(start, prefix, c) {
			ends = appendNew(ends, from+len(prefix)+2)
		}
	}
	if end := strings.IndexByte(start, ';') + 1; end > 0 && start[0] == '&' &&
		html.UnescapeString(start[:end]) == string(rune(c)) {
		ends = appendNew(ends, from+end)
	}
	return ends
}

func appendNew(ends []int, end int) []int {
	if slices.Contains(ends, end) {
		return ends
	}
	return append(ends, end)
}

// numbered reports whether a text begins with a prefix and then the number of a byte.
func numbered(text, prefix string, c byte) bool {
	end := len(prefix) + 2
	if len(text) < end || !strings.EqualFold(text[:len(prefix)], prefix) {
		return false
	}
	n, err := strconv.ParseUint(text[len(prefix):end], 16, 8)
	return err == nil && byte(n) == c
}

func backslashes[T string | []byte](text T) int {
	n := 0
	for n < len(text) && text[n] == '\\' {
		n++
	}
	return n
}
