package masking

import (
	"bytes"
	"encoding/hex"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// URLs overwrites the credentials in the URLs of a text, and reports whether there
// are any.
func URLs(text []byte) bool {
	found := foreign.Userinfo(text)
	for _, at := range found {
		for i := at[0]; i < at[1]; i++ {
			text[i] = '*'
		}
	}
	return found != nil
}

// Fields overwrites the values in a text that names them as credentials, and the
// credentials in its URLs. It reports whether there are any. JSON stays JSON: a number becomes
// a string, and a digit a zero.
func Fields(text []byte) bool {
	if !mayName(text) {
		return false
	}
	masked := URLs(text)
	fields(text, func(value []byte, quoted bool) {
		masked = true
		for i := range value {
			value[i] = '*'
		}
		switch n := len(value); {
		case quoted:
		case n == 1:
			value[0] = '0'
		default:
			value[0], value[n-1] = '"', '"'
		}
	})
	return masked
}

// mayName reports whether a text may name a credential, or hold one in a URL. It spares ids, dates, most paths and
// most headers the searches.
func mayName[T string | []byte](text T) bool {
	for i := range len(text) {
		if naming[text[i]] && (text[i] != ':' || !isNumbered(text[:i])) {
			return true
		}
	}
	return false
}

// isNumbered reports whether a text ends with a number that is no part of a name, as before the colons of 10:12:30.
func isNumbered[T string | []byte](text T) bool {
	end := len(text)
	for end > 0 && '0' <= text[end-1] && text[end-1] <= '9' {
		end--
	}
	return end < len(text) && (end == 0 || text[end-1] == ' ' || text[end-1] == ':')
}

// naming are the characters by which credentials are found: those around names and values, and the @ behind
// credentials in a URL, which may be escaped.
var naming = [256]bool{'"': true, '\\': true, ':': true, '=': true, '%': true, '@': true, '<': true}

// Behind overwrites what stands behind the first word for a credential in a text that is no JSON. In
// XML, a multipart form or CSV a value may be anywhere behind its name. With NULs it is UTF-16 or no
// text, and all of it is overwritten. Behind reports whether it has overwritten any.
func Behind(text []byte) bool {
	if bytes.IndexByte(text, 0) >= 0 {
		copy(text, bytes.Repeat([]byte("*"), len(text)))
		return true
	}
	if begin := bytes.TrimLeft(text, "\ufeff \t\r\n"); len(begin) == 0 || begin[0] == '{' || begin[0] == '[' {
		return false
	}
	at := 0
	for at < len(text) && !begins(text[at:]) {
		at++
	}
	for at < len(text) && isName(text[at]) {
		at++
	}
	copy(text[at:], bytes.Repeat([]byte("*"), len(text)-at))
	return at < len(text)
}

// fields calls found with each value that follows a secretive name and a colon or an equals sign.
// The text may be JSON, cut off, a form or something else. Of a list and an object it finds all
// values. Whether a value is quoted, the quotes are not part of it. What is within a string of
// JSON, or in no JSON, counts as quoted.
func fields(text []byte, found func(value []byte, quoted bool)) {
	within := func(value []byte, _ bool) { found(value, true) }
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case (c == '"' || c == '\\') && (at == 0 || text[at-1] != '\\'):
			visit := found
			if c == '\\' {
				visit = within
			}
			at += max(quoted(text[at:], visit)-1, 0)
		case c == ':' || c == '=' || c == '%':
			if n := separator(text[at:]); n > 0 && named(text[:at]) {
				at += n - 1 + values(text[at+n:], c != ':', within)
			}
		}
	}
}

// quoted finds the values that the string at the beginning of a text names, and the credentials that
// it is. It returns how long the name and the values are, 0 if it is no name of credentials. The
// quotes may be escaped.
func quoted(text []byte, found func(value []byte, quoted bool)) int {
	start := len(text) - len(bytes.TrimLeft(text, `\`)) + 1
	if start > len(text) || text[start-1] != '"' {
		return 0
	}
	end, after := closing(text, start, '"', start-1)
	content, rest := text[start:end], bytes.TrimLeft(text[after:], blanks)
	if len(rest) > 0 && rest[0] == ':' {
		if !secretive(unescapedName(content)) {
			return 0
		}
		value := bytes.TrimLeft(rest[1:], blanks)
		return len(text) - len(value) + values(value, false, found)
	}
	if scheme := len(Scheme(content)); scheme > 0 {
		found(content[scheme:], true)
	}
	return 0
}

const blanks = " \t\r\n"

// separator returns how long that is, at the beginning of a text, which separates a name from its
// value; 0 if nothing does. In URLs it may be escaped.
func separator(text []byte) int {
	switch {
	case bytes.HasPrefix(text, []byte("=>")):
		return 2
	case text[0] == ':' || text[0] == '=':
		return 1
	}
	if c, size := unescaped(text); size > 1 && (c == ':' || c == '=') {
		return size
	}
	return 0
}

// named reports whether a text ends with a secretive name, perhaps in quotes. A host is none: behind
// the colon is its port.
func named(text []byte) bool {
	text = bytes.TrimRight(text, " \t\"'\\")
	start := len(text)
	for start > 0 && len(text)-start <= maxName && isName(text[start-1]) {
		start--
	}
	return start < len(text) && !bytes.HasSuffix(text[:start], []byte("//")) && secretive(unescapedName(text[start:]))
}

// isName reports whether c may be part of a name without quotes, as in user[password] or
// user%5Bpassword%5D.
func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == '-' || c == '.' || c == '[' || c == ']' || c == '%' || c >= 0x80
}

// unescapedName returns a name without escapes, be they those of JSON or of a URL.
func unescapedName(name []byte) []byte {
	if !escapes(name) {
		return name
	}
	var plain []byte
	for at := 0; at < len(name); {
		c, size := unescaped(name[at:])
		if at += size; c != '\\' {
			plain = append(plain, c)
		}
	}
	return plain
}

// unescaped returns the character at the beginning of a text that is %XX or \u00XX, and
// how long that is.
func unescaped(text []byte) (byte, int) {
	digits, ok := bytes.CutPrefix(text, []byte("%"))
	if !ok {
		if digits, ok = bytes.CutPrefix(text, []byte(`\u00`)); !ok {
			return text[0], 1
		}
	}
	var c [1]byte
	if len(digits) < 2 {
		return text[0], 1
	}
	if _, err := hex.Decode(c[:], digits[:2]); err != nil {
		return text[0], 1
	}
	return c[0], len(text) - len(digits) + 2
}

// values finds the value that a text begins with, and returns how long that is. With several
// values in it, such as an object, it finds all of them.
func values(text []byte, assigned bool, found func(value []byte, quoted bool)) int {
	depth := 0
	for at := 0; at < len(text); {
		switch c := text[at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			if at++; depth == 0 && (c == ',' || c == '\n') {
				return at
			}
			continue
		case '[', '{':
			depth++
			at++
			continue
		case ']', '}':
			if depth--; depth <= 0 {
				return at
			}
			at++
			continue
		}
		start, end, after := scalar(text[at:], assigned)
		if value := text[at+start : at+end]; start > 0 && !isFieldName(text[at+after:], depth) {
			found(value, true)
		} else if start == 0 && len(value) > 0 && !isLiteral(value) {
			found(value, false)
		}
		if at += after; depth == 0 {
			return at
		}
	}
	return len(text)
}

// isFieldName reports whether what comes before a text is the name of a field in an object.
func isFieldName(rest []byte, depth int) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return depth > 0 && len(rest) > 0 && rest[0] == ':'
}

func isLiteral(value []byte) bool {
	switch string(value) {
	case "true", "false", "null":
		return true
	}
	return false
}

// scalar returns where the value that a text begins with is, and where what comes after it
// begins. A value in quotes, which may be escaped, begins after 0.
func scalar(text []byte, assigned bool) (start, end, after int) {
	quote := bytes.TrimLeft(text, `\`)
	escapes := len(text) - len(quote)
	if len(quote) > 0 && (quote[0] == '"' || quote[0] == '\'') {
		start = escapes + 1
		end, after = closing(text, start, quote[0], escapes)
		return start, end, after
	}
	stop := ",;&\"'[]{}<>\r\n"
	if assigned && len(Scheme(text)) == 0 {
		stop += " \t)"
	}
	if end = bytes.IndexAny(text, stop); end < 0 {
		end = len(text)
	}
	return 0, len(bytes.TrimRight(text[:end], " \t")), max(end, 1)
}

// closing returns where a quoted value ends, and where its closing quote does, which is
// escaped as the opening one is.
func closing(text []byte, start int, quote byte, escapes int) (end, after int) {
	backslashes := 0
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			backslashes++
			continue
		case c == quote && (escapes == 0 && backslashes%2 == 0 || escapes > 0 && backslashes == escapes):
			return i - escapes, i + 1
		}
		backslashes = 0
	}
	return len(text), len(text)
}
