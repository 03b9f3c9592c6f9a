package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// reader reads a text by a schema.
type reader struct{ scanner }

// misfit returns what does not fit, up to an offset.
func (r *reader) misfit(offset int, format string, details ...any) *Mismatch {
	m := r.here(fmt.Sprintf(format, details...))
	m.Syntax, m.offset = false, offset
	return m
}

func (r *reader) value(schema *Schema) *Mismatch {
	kind := schema.kind()
	switch c := r.space(); {
	case kind == "":
		return r.ignore()
	case c == 'n' && schema.raw.Nullable:
		return r.word(c)
	case c == '{' && kind == openapi3.TypeObject:
		return r.object(schema)
	case c == '[' && kind == openapi3.TypeObject:
		return r.fields(schema)
	case c == '[' && kind == openapi3.TypeArray:
		return r.array(schema)
	}
	return r.plain(schema, kind)
}

// within reads a value that a step leads to.
func (r *reader) within(next step, schema *Schema) *Mismatch {
	r.path = append(r.path, next)
	if wrong := r.value(schema); wrong != nil {
		return wrong
	}
	r.path = r.path[:len(r.path)-1]
	return nil
}

func (r *reader) object(schema *Schema) *Mismatch {
	r.at++
	seen := map[string]bool{}
	for {
		name, more, wrong := r.key(len(seen) == 0)
		if wrong != nil {
			return wrong
		}
		if !more {
			break
		}
		field := schema.field(name)
		if seen[name] && field.kind() != "" {
			r.space()
			return r.misfit(r.at, "duplicate field `%s`", name)
		}
		seen[name] = true
		if wrong := r.colon(); wrong != nil {
			return wrong
		}
		if wrong := r.within(step{name, aField}, field); wrong != nil {
			return wrong
		}
	}
	r.at++ // the end
	if i := slices.IndexFunc(schema.required, func(name string) bool { return !seen[name] }); i >= 0 {
		return r.misfit(r.at, "missing field `%s`", schema.required[i])
	}
	return nil
}

// key reads the name of the next field, if there is another.
func (r *reader) key(first bool) (name string, more bool, wrong *Mismatch) {
	var quoted []byte
	if more, wrong = r.more('{', first); more {
		quoted, wrong = r.quoted(false)
	}
	if wrong != nil {
		if wrong.path != "" {
			wrong.path += ".?" // the field that it would be
		}
		return "", false, wrong
	}
	return unquote(quoted), more, nil
}

func (r *reader) array(schema *Schema) *Mismatch {
	r.at++
	for i := 0; ; i++ {
		more, wrong := r.more('[', i == 0)
		if wrong != nil {
			return wrong
		}
		if !more {
			r.at++ // the end
			return nil
		}
		if wrong := r.within(step{index: i}, schema.items()); wrong != nil {
			return wrong
		}
	}
}

// fields reads the fields of an object that are the items of an array. That library would take
// them so. No node sends them so, and no document says it.
func (r *reader) fields(schema *Schema) *Mismatch {
	r.at++
	names, expected := schema.inOrder(), expectation(schema, openapi3.TypeObject)
	for i, name := range names {
		more, wrong := r.more('[', i == 0)
		if wrong != nil {
			return wrong
		}
		if !more {
			return r.misfit(r.at+1, "invalid length %d, expected %s with %d elements", i, expected, len(names))
		}
		if wrong := r.within(step{index: i}, schema.field(name)); wrong != nil {
			return wrong
		}
	}
	reason := "trailing characters"
	switch c := r.space(); {
	case c == ']':
		return r.misfit(r.at+1, "invalid type: sequence, expected %s", expected)
	case r.ended():
		return r.here(bracket('[').end())
	case c == ',':
		if r.at++; r.space() == ']' {
			reason = "trailing comma"
		}
	}
	return r.ahead(reason, reason)
}

// plain reads a value that is neither an object nor an array, or looks at what begins one.
func (r *reader) plain(schema *Schema, kind string) *Mismatch {
	var got, number string
	switch c := r.peek(); {
	case c == '[':
		got = "sequence"
	case c == '{':
		got = "map"
	case c == '"':
		quoted, wrong := r.quoted(false)
		if wrong != nil || kind == openapi3.TypeString {
			return wrong
		}
		got = "string " + inRust(shortened(unquote(quoted)))
	case c == '-' || isDigit(c):
		var wrong *Mismatch
		if number, wrong = r.number(false); wrong != nil || kind == openapi3.TypeNumber {
			return wrong
		}
		got, _ = numeral(number)
	default:
		if wrong := r.word(c); wrong != nil || kind == openapi3.TypeBoolean && c != 'n' {
			return wrong
		}
		got = map[byte]string{'t': "boolean `true`", 'f': "boolean `false`", 'n': "null"}[c]
	}
	return r.unexpected(schema, kind, got, number)
}

// unexpected returns that a value, or what begins one, is not of a kind; nil if it is a number that is.
func (r *reader) unexpected(schema *Schema, kind, got, number string) *Mismatch {
	what, expected := "type", expectation(schema, kind)
	if _, whole := numeral(number); whole && kind == openapi3.TypeInteger {
		if size, _ := strconv.ParseFloat(number, 64); size >= 0 && (expected == "u64" || size <= math.MaxUint32) {
			return nil
		}
		what = "value"
	}
	m := r.misfit(r.at, "invalid %s: %s, expected %s", what, got, expected)
	m.got = number
	return m
}
