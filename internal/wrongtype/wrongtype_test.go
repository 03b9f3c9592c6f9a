package wrongtype_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/wrongtype"
)

// entry has fields of several types.
type entry struct {
	Name string `json:"name" yaml:"name"`
	List []int  `json:"list" yaml:"list"`
}

func TestExplain(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"JSON":            {json.Unmarshal([]byte(`[]`), new(entry)), "the whole is of type array, which does"},
		"JSON of a field": {json.Unmarshal([]byte(`{"list":{}}`), new(entry)), "list is of type object"},
		"no JSON":         {json.Unmarshal([]byte(`x`), new(entry)), "invalid character 'x'"},
		"YAML":            {decode("a: 1", new([]entry)), "line 1: a value is an object: must be a list"},
		"YAML of two fields": {
			decode("- name: [a]\n  list: text into the void", new([]entry)),
			"line 1: a value is a list: must be a text; line 2: a value is a text: must be a list",
		},
		"YAML of several lines": {
			decode(`- list: "a\nb"`, new([]entry)), "line 1: a value is a text: must be a list",
		},
		"a field of no name": {decode("- nam: a", new([]entry)), "line 1: field nam not found"},
		"another":            {io.EOF, "EOF"},
	} {
		got := wrongtype.Explain(test.err)
		if got == nil || !strings.HasPrefix(got.Error(), test.want) || strings.Contains(got.Error(), "entry") ||
			strings.Contains(got.Error(), "into") {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
}

func decode(text string, into any) error {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	return decoder.Decode(into)
}
