package wire

import (
	"encoding/json"
	"errors"
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

// separate appends a comma unless an object has only just begun.
func separate(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

// breachError is where a value breaks the document.
type breachError struct{ pointer string }

func (e *breachError) Error() string {
	return fmt.Sprintf("the value breaks the document at %q", e.pointer)
}

func breach(field string) error { return &breachError{"/" + field} }

// within puts the error for the value of a field the way it is for the object.
func within(field string, err error) error {
	if inner := (*breachError)(nil); errors.As(err, &inner) {
		return &breachError{"/" + field + inner.pointer}
	}
	return err
}

func unknown(value any) error {
	return fmt.Errorf("the document has no type for %T", value)
}
