package wire

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// appendString appends a text as a JSON string.
func appendString(b []byte, text string) []byte {
	plain := utf8.ValidString(text)
	for i := 0; i < len(text) && plain; i++ {
		plain = text[i] >= ' ' && text[i] != '"' && text[i] != '\\'
	}
	if !plain {
		quoted, _ := json.Marshal(text) // which takes any string
		return append(b, quoted...)
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// appendArray appends items as a JSON array, and null for a nil slice.
func appendArray[T any](b []byte, items []T, appendItem func([]byte, T) []byte) []byte {
	if items == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendItem(b, item)
	}
	return append(b, ']')
}

// separate appends a comma unless an object has only just begun.
func separate(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

func unknown(value any) error {
	return fmt.Errorf("the document has no type for %T", value)
}
