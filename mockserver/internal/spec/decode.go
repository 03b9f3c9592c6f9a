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
	d := fieldDecoder{scanner: scanner{text: text}}
	value = d.value(schema)
	return value, d.twice, nil
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

// fieldDecoder decodes a text that is known to be JSON. It passes over the errors of its scanner, as there are none.
type fieldDecoder struct {
	scanner
	twice []string // pointers to fields that an object has more than once, each of them once
}

// value decodes the next value. The schema may be nil.
func (d *fieldDecoder) value(schema *Schema) any {
	switch c := d.space(); {
	case c == '{':
		return d.object(schema)
	case c == '[':
		return d.array(schema)
	case c == '"':
		return d.string()
	case c == '-' || isDigit(c):
		number, _ := d.number(true)
		return plainNumber(json.Number(number))
	default:
		_ = d.word(c)
		return map[byte]any{'t': true, 'f': false, 'n': nil}[c]
	}
}

func (d *fieldDecoder) string() string {
	quoted, _ := d.quoted(true)
	return unquote(quoted)
}

// another moves to the next item of an array or object, or behind its end if there is no item.
func (d *fieldDecoder) another(in bracket, first bool) bool {
	if first {
		d.at++ // the bracket
	}
	more, _ := d.more(in, first)
	if !more {
		d.at++ // the end
	}
	return more
}

func (d *fieldDecoder) object(schema *Schema) any {
	object := map[string]any{}
	for first := true; d.another('{', first); first = false {
		name := d.string()
		field := schema.field(name)
		if _, again := object[name]; again && field != nil && !slices.Contains(d.twice, field.pointer) {
			d.twice = append(d.twice, field.pointer)
		}
		_ = d.colon()
		object[name] = d.value(field)
	}
	return object
}

func (d *fieldDecoder) array(schema *Schema) any {
	items := []any{}
	for d.another('[', len(items) == 0) {
		items = append(items, d.value(schema.items()))
	}
	return items
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
