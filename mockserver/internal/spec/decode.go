package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Decode decodes exactly one JSON value for a validator to check and a type to bind. The
// error says what is wrong, and at which byte where that is known.
func Decode(text []byte) (any, error) {
	value, _, err := DecodeBody(text, nil)
	return value, err
}

// DecodeBody decodes the body of a request. If an object has a field twice, the last one counts;
// for fields of the schema it returns pointers to them.
func DecodeBody(text []byte, schema *Schema) (value any, twice []string, err error) {
	if err := checkText(text); err != nil {
		return nil, nil, err
	}
	decoder := fieldDecoder{Decoder: json.NewDecoder(bytes.NewReader(text))}
	decoder.UseNumber()
	value, err = decoder.value(schema)
	return value, decoder.twice, err
}

// checkText returns what keeps a text from being JSON.
func checkText(text []byte) error {
	for mark, name := range byteOrderMarks {
		if bytes.HasPrefix(text, []byte(mark)) {
			return fmt.Errorf("the text begins with a byte order mark of %s, which JSON must not", name)
		}
	}
	if !utf8.Valid(text) {
		return errors.New("the text is not UTF-8")
	}
	err := json.Unmarshal(text, new(json.RawMessage))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%w, at byte %d", err, syntax.Offset)
	}
	return err
}

var byteOrderMarks = map[string]string{"\ufeff": "UTF-8", "\xfe\xff": "UTF-16", "\xff\xfe": "UTF-16"}

// fieldDecoder decodes a text that is known to be JSON.
type fieldDecoder struct {
	*json.Decoder
	twice []string // pointers to fields that an object has more than once, each of them once
}

// value decodes the next value. The schema may be nil.
func (d *fieldDecoder) value(schema *Schema) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return d.object(schema)
		}
		return d.array(schema)
	case json.Number:
		return plainNumber(token), nil
	}
	return token, nil
}

func (d *fieldDecoder) object(schema *Schema) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		field := schema.field(name)
		if _, again := object[name]; again && field != nil && !slices.Contains(d.twice, field.pointer) {
			d.twice = append(d.twice, field.pointer)
		}
		if object[name], err = d.value(field); err != nil {
			return nil, err
		}
	}
	_, err := d.Token() // the end
	return object, err
}

func (d *fieldDecoder) array(schema *Schema) (any, error) {
	items := []any{}
	for d.More() {
		item, err := d.value(schema.items())
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := d.Token() // the end
	return items, err
}

// plainNumber writes whole numbers such as 1.0 and 1e3 without fraction and exponent.
// They count as integers for the validator, and should for the types that are bound
// after it.
func plainNumber(number json.Number) any {
	if !strings.ContainsAny(string(number), ".eE") {
		return number
	}
	if f, err := number.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) <= maxExactInteger {
		return int64(f)
	}
	return number
}

// maxExactInteger is the largest integer up to which a float64 can tell all integers
// apart.
const maxExactInteger = 1<<53 - 1
