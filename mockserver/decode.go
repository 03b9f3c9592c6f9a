package mockserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// decodeJSON decodes exactly one JSON value for a validator to judge and a type to be
// bound to. The error says what is wrong, and at which byte where that is known.
func decodeJSON(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the text is not UTF-8")
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, new(json.RawMessage)); errors.As(err, &syntax) {
		return nil, fmt.Errorf("%w, at byte %d", err, syntax.Offset)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return plainNumbers(value), nil
}

// plainNumbers writes whole numbers such as 1.0 and 1e3 without fraction and exponent.
// They count as integers for the validator, and should for the types that are bound
// after it.
func plainNumbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			value[name] = plainNumbers(member)
		}
	case []any:
		for i, item := range value {
			value[i] = plainNumbers(item)
		}
	case json.Number:
		if !strings.ContainsAny(string(value), ".eE") {
			return value
		}
		if f, err := value.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) <= maxExactInteger {
			return int64(f)
		}
	}
	return value
}

// maxExactInteger is the largest integer up to which a float64 can tell all integers
// apart.
const maxExactInteger = 1<<53 - 1
