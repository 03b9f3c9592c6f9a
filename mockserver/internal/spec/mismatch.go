package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/mockserver/drift"
)

// Mismatch is where the orchestratord in service stops to read a body, in the words of its JSON
// library (serde_json).
type Mismatch struct {
	Pointer string // to the value, or to the object that lacks a field or has it twice
	Reason  string

	got    string // the number, if it is one
	offset int    // of what follows
}

// FirstMismatch returns the first place at which a body, which is JSON, does not fit a schema: it
// looks no further, as that orchestratord does. It returns nil if there is none. What a schema
// limits besides types and the size of numbers does not count.
func FirstMismatch(schema *Schema, text []byte) *Mismatch {
	reader := mismatchReader{json.NewDecoder(bytes.NewReader(text))}
	reader.UseNumber()
	return reader.value(schema, "")
}

// Departures reports a number that has the right value and is written in a way that is refused, such
// as 3.0. All other mismatches are reported elsewhere: see Twice and Document.Departures.
func (m *Mismatch) Departures() []drift.Departure {
	if m.got == "" {
		return nil
	}
	return []drift.Departure{{
		Pointer: folded(m.Pointer), Kind: "type",
		Expected: "must be written without a fraction and an exponent", Got: Cut(m.got, longestValue),
	}}
}

// Place returns the line and the column where the reader stood. Both count from 1, columns in
// bytes.
func (m *Mismatch) Place(text []byte) string { return place(text, m.offset) }

func place(text []byte, offset int) string {
	before := text[:offset]
	return fmt.Sprintf("line %d column %d", 1+bytes.Count(before, []byte("\n")),
		len(before)-1-bytes.LastIndexByte(before, '\n'))
}

// Trailing says where something follows the value that a text begins with, and "" if nothing
// does.
func Trailing(text []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if decoder.Decode(new(json.RawMessage)) != nil {
		return ""
	}
	rest := bytes.TrimLeft(text[decoder.InputOffset():], " \t\r\n")
	if len(rest) == 0 {
		return ""
	}
	return "trailing characters at " + place(text, len(text)-len(rest)+1)
}

// mismatchReader reads a text that is known to be JSON, so that no token is an error.
type mismatchReader struct{ *json.Decoder }

func (r mismatchReader) value(schema *Schema, at string) *Mismatch {
	token, _ := r.Token()
	kind := schema.kind()
	delim, nested := token.(json.Delim)
	switch {
	case kind == "", token == nil && schema.raw.Nullable:
		if nested {
			r.skip()
		}
		return nil
	case delim == '{' && kind == openapi3.TypeObject:
		return r.object(schema, at)
	case delim == '[' && kind == openapi3.TypeArray:
		return r.array(schema, at)
	}
	reason, offset := reasonOf(schema, kind, token), int(r.InputOffset())
	if reason == "" {
		return nil
	}
	if nested {
		offset-- // it looks at the bracket, and leaves it
	}
	number, _ := token.(json.Number)
	return &Mismatch{at, reason, string(number), offset}
}

func (r mismatchReader) object(schema *Schema, at string) *Mismatch {
	seen := map[string]bool{}
	for r.More() {
		token, _ := r.Token()
		name, _ := token.(string)
		field := schema.field(name)
		if seen[name] && field.kind() != "" {
			return &Mismatch{at, fmt.Sprintf("duplicate field `%s`", name), "", int(r.InputOffset())}
		}
		seen[name] = true
		if mismatch := r.value(field, at+"/"+Step(name)); mismatch != nil {
			return mismatch
		}
	}
	_, _ = r.Token() // the end
	if i := slices.IndexFunc(schema.required, func(name string) bool { return !seen[name] }); i >= 0 {
		return &Mismatch{at, fmt.Sprintf("missing field `%s`", schema.required[i]), "", int(r.InputOffset())}
	}
	return nil
}

func (r mismatchReader) array(schema *Schema, at string) *Mismatch {
	for i := 0; r.More(); i++ {
		if mismatch := r.value(schema.items(), at+"/"+strconv.Itoa(i)); mismatch != nil {
			return mismatch
		}
	}
	_, _ = r.Token() // the end
	return nil
}

// skip reads to the end of an array or object that has begun.
func (r mismatchReader) skip() {
	for depth := 1; depth > 0; {
		switch token, err := r.Token(); {
		case err != nil:
			return
		case token == json.Delim('{'), token == json.Delim('['):
			depth++
		case token == json.Delim('}'), token == json.Delim(']'):
			depth--
		}
	}
}

// kind returns the type of values, and "" if any will do.
func (s *Schema) kind() string {
	if s == nil {
		return ""
	}
	return kindOf(s.raw)
}

func kindOf(schema *openapi3.Schema) string {
	if len(schema.Type.Slice()) > 0 {
		return schema.Type.Slice()[0]
	}
	for _, part := range schema.AllOf {
		if kind := kindOf(part.Value); kind != "" {
			return kind
		}
	}
	return ""
}

// longestText is how many bytes a text may have that is repeated as it is.
const longestText = 1024

func shortened(text string) string {
	if len(text) <= longestText {
		return text
	}
	return Cut(foreign.Line(text), longestText) // without what the cut leaves of a password
}

// reasonOf says how a value, or the beginning of one, is not of a kind, and "" if it is.
func reasonOf(schema *Schema, kind string, token json.Token) string {
	expected := expectations[kind]
	if kind == openapi3.TypeInteger && schema.raw.Max != nil {
		expected = "u32"
		if *schema.raw.Max > math.MaxUint32 {
			expected = "u64"
		}
	}
	is := ""
	switch token := token.(type) {
	case nil:
		is = "null"
	case json.Delim:
		is = map[json.Delim]string{'{': "map", '[': "sequence"}[token]
	case bool:
		if kind == openapi3.TypeBoolean {
			return ""
		}
		is = fmt.Sprintf("boolean `%t`", token)
	case string:
		if kind == openapi3.TypeString {
			return ""
		}
		is = "string " + strconv.Quote(shortened(token))
	case json.Number:
		whole := false
		is, whole = numeral(token)
		if kind == openapi3.TypeInteger && whole {
			if size, _ := token.Float64(); size >= 0 && (expected == "u64" || size <= math.MaxUint32) {
				return ""
			}
			return fmt.Sprintf("invalid value: %s, expected %s", is, expected)
		}
		if kind == openapi3.TypeNumber {
			return ""
		}
	}
	return fmt.Sprintf("invalid type: %s, expected %s", is, expected)
}

var expectations = map[string]string{
	openapi3.TypeString: "a string", openapi3.TypeBoolean: "a boolean", openapi3.TypeInteger: "u64",
	openapi3.TypeNumber: "f64", openapi3.TypeArray: "a sequence", openapi3.TypeObject: "a map",
}

// numeral returns what a number is. One with a fraction or an exponent is not whole, whatever its
// value, and neither is one that 64 bits do not hold.
func numeral(number json.Number) (is string, whole bool) {
	_, signed := strconv.ParseInt(string(number), 10, 64)
	_, unsigned := strconv.ParseUint(string(number), 10, 64)
	if (signed == nil || unsigned == nil) && number != "-0" {
		return fmt.Sprintf("integer `%s`", number), true
	}
	size, _ := number.Float64()
	text := strconv.FormatFloat(size, 'f', -1, 64)
	switch {
	case math.Abs(size) >= 1e16:
		text = strings.Replace(strconv.FormatFloat(size, 'e', -1, 64), "e+", "e", 1)
	case !strings.Contains(text, "."):
		text += ".0"
	}
	return fmt.Sprintf("floating point `%s`", text), false
}
