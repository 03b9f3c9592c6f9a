// Package exactjson decodes JSON into structs by the exact names of their fields. To encoding/json,
// "Node_ID" is as good as "node_id"; to orchestratord it is another field.
package exactjson

import (
	"bytes"
	"encoding/json"
)

// Unmarshal is json.Unmarshal with exact names. All fields of the structs have names for JSON, of small
// letters, digits and underscores.
func Unmarshal(text []byte, into any) error {
	if namesAreSmall(text) { // each is exactly that of a field, or none of its spellings
		return json.Unmarshal(text, into)
	}
	return unmarshalExactly(text, into)
}

// Bind is Unmarshal for what has been decoded into maps, slices and scalars.
func Bind(value, into any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return Unmarshal(text, into)
}

// namesAreSmall reports whether all names in a JSON text are of small letters and other ASCII, and are
// spelled without escapes.
func namesAreSmall(text []byte) bool {
	for {
		begin := bytes.IndexByte(text, '"')
		if begin < 0 {
			return true
		}
		length, small := measure(text[begin+1:])
		text = bytes.TrimLeft(text[begin+1+length:], " \t\r\n")
		if !small && bytes.HasPrefix(text, []byte(":")) {
			return false
		}
	}
}

// measure returns the length of a string that has begun, its end included, and whether it is one that
// namesAreSmall lets be.
func measure(text []byte) (length int, small bool) {
	small = true
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1, small
		case c == '\\':
			i++
			small = false
		case 'A' <= c && c <= 'Z' || c >= 0x80:
			small = false
		}
	}
	return len(text), small
}
