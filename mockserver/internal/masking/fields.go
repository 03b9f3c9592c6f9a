package masking

import (
	"bytes"

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
// a string.
func Fields(text []byte) bool {
	masked := URLs(text)
	fields(text, func(value []byte, quoted bool) {
		masked = true
		for i := range value {
			value[i] = '*'
		}
		if n := len(value); !quoted && n > 1 {
			value[0], value[n-1] = '"', '"'
		}
	})
	return masked
}

// fields calls found with each value that follows a secretive name and a colon or an equals
// sign, be the text JSON, cut off, a form or something else. Of a list and an object it finds
// all values. Whether a value is quoted, the quotes are not part of it.
func fields(text []byte, found func(value []byte, quoted bool)) {
	for at := 0; at < len(text); at++ {
		if c := text[at]; (c == ':' || c == '=') && named(text[:at]) {
			at += values(text[at+1:], c == '=', found)
		}
	}
}

// named reports whether a text ends with a secretive name, perhaps in quotes.
func named(text []byte) bool {
	text = bytes.TrimRight(text, " \t\"'\\")
	start := len(text)
	for start > 0 && len(text)-start <= maxName && isName(text[start-1]) {
		start--
	}
	return start < len(text) && secretive(text[start:])
}

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == '-' || c == '.' || c >= 0x80
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
	if assigned && Scheme(string(text[:min(len(text), 16)])) == "" {
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
