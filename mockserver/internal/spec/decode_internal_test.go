package spec

import (
	"bytes"
	"encoding/json"
	"iter"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecodeBody decodes texts as the standard library does, which does not look for
// fields that are given twice.
func FuzzDecodeBody(f *testing.F) {
	for _, text := range []string{
		goodRegistration, goodHeartbeat, "", " ", "null", "[]", `{"a": [1, 1.0, 1e3, -0.5e-3, "\u0061", {}]}`,
		`{"a": 1, "\u0061": 2}`,
		"\ufeff{}", "\xfe\xff", `"\ud800"`, "1 2", "{}]", "1e400", strings.Repeat("[", 10_001),
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		bad := json.Unmarshal(text, new(any))
		if bad == nil {
			_ = decoder.Decode(&want)
			want = plainNumbers(want)
		}
		for schema := range bodies(Nodes()) {
			got, _, err := DecodeBody(text, schema)
			if bad != nil && !strings.Contains(bad.Error(), "cannot unmarshal number") {
				if err == nil {
					t.Errorf("%q is not JSON: %v", text, bad)
				}
			} else if err == nil {
				if bad == nil && !reflect.DeepEqual(want, got) {
					t.Errorf("%q: got %v, want %v", text, got, want)
				}
			} else if !strings.Contains(err.Error(), "UTF-8") {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// plainNumbers does to all numbers in a value what plainNumber does to one.
func plainNumbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			value[name] = plainNumbers(value[name])
		}
	case []any:
		for i := range value {
			value[i] = plainNumbers(value[i])
		}
	case json.Number:
		return plainNumber(value)
	}
	return value
}

// bodies returns the schemas of the bodies of all requests.
func bodies(doc *Document) iter.Seq[*Schema] {
	return func(yield func(*Schema) bool) {
		for _, operation := range doc.Operations {
			for _, schema := range operation.Bodies {
				if !yield(schema) {
					return
				}
			}
		}
	}
}
