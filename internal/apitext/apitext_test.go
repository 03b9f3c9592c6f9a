package apitext_test

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/apitext"
	"github.com/llama-orch/node-registration/openapi"
)

// load reads a document as the programs do. Among the files beside it, one is broken.
func load(text string) error {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, file *url.URL) ([]byte, error) {
		if file.Path == "broken.yaml" {
			return []byte("a: ["), nil
		}
		return nil, os.ErrNotExist
	}
	_, err := loader.LoadFromDataWithPath([]byte(text), &url.URL{})
	return apitext.Explain([]byte(text), err)
}

const head = "openapi: 3.0.3\ninfo: {title: T, version: \"1\"}\n"

// TestExplain reads documents that are none. What is wrong is said with its line, and without words of a
// parser or of Go.
func TestExplain(t *testing.T) {
	const object = ": must be an object with openapi, info and paths"
	for name, test := range map[string]struct{ text, want string }{
		"nothing":          {"", "it is empty" + object},
		"a comment":        {"# a comment\n", "it is empty" + object},
		"a list":           {"\n- a\n", "line 2: it is a list" + object},
		"a list in JSON":   {"[]", "line 1: it is a list" + object},
		"a text":           {"hello", `line 1: it is the text "hello"` + object},
		"a number":         {"42", "line 1: it is 42" + object},
		"a binary":         {"\x7fELF\x02\x01", "line 1: U+007F is a control character: must be a text"},
		"Latin-1":          {head + "x: caf\xe9\n", "line 3: byte 0xE9 is not UTF-8: save the text as UTF-8"},
		"a tab":            {head + "paths:\n\t/a: {}", "line 4: a tab, or "},
		"a quote":          {"openapi: \"3.0.3\ninfo: {title: \"T\"}", "line 2: this does not belong here: look for"},
		"an indentation":   {head + "paths:\n  /a:\n      get:\n    put: {}", "line 6: this does not belong here"},
		"a missing comma":  {`{"openapi": "3.0.3" "info": {}}`, "line 1: a comma or the closing } is missing"},
		"no version":       {"info: {}\n", "it has no openapi, the version that it is of: must be such as"},
		"a number of one":  {"openapi: 3.0\ninfo: {}\n", "line 1: openapi is 3.0: must be a version such as 3.0.3"},
		"another version":  {"openapi: 4.0.0\ninfo: {}\npaths: {}", `line 1: openapi is "4.0.0": must be 3.0 or 3.1`},
		"Swagger":          {"\nswagger: \"2.0\"\ninfo: {}", "line 2: it is of Swagger 2.0: must be of OpenAPI 3.0"},
		"Swagger in JSON":  {"{\n\t\"swagger\": \"2.0\"\n}", "line 2: it is of Swagger 2.0"},
		"no info":          {"openapi: 3.0.3\npaths: {}", "it has no info: must have openapi, info and paths"},
		"no paths":         {head, "it has no paths: must have openapi, info and paths"},
		"a list of paths":  {head + "paths: []", "line 3: /paths is a list: must be an object"},
		"an empty info":    {"openapi: 3.0.3\ninfo:\npaths: {}", "it has no info: must have openapi, info and paths"},
		"a number for one": {head + "paths: {/a: {get: 3}}", "line 3: /paths/~1a/get is a number: must be an object"},
		"a name twice":     {head + "info: {}\npaths: {}", `line 3: "info" is there a second time, after line 2`},
		"a path twice": {
			head + "paths:\n  /a: {}\n  /a: {}", `line 5: "/a" is there a second time, after line 4`,
		},
		"a reference to nothing": {
			head + "paths: {}\ncomponents:\n  schemas: {A: {$ref: '#/components/schemas/B'}}",
			`line 5: $ref "#/components/schemas/B" refers to nothing`,
		},
		"a reference to no file": {
			head + "paths:\n  /a:\n    $ref: none.yaml#/A", `line 5: $ref "none.yaml#/A": file does not exist`,
		},
		"a reference to a broken file": {
			head + "paths:\n  /a:\n    $ref: broken.yaml#/A", `line 5: $ref "broken.yaml#/A": line 2: a value is`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := load(test.text)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Fatalf("%v, want %s", err, test.want)
			}
			for _, theirs := range []string{"yaml:", "unmarshal", "construct", "openapi3", "!!"} {
				if strings.Contains(err.Error(), theirs) {
					t.Errorf("%v has %q in it", err, theirs)
				}
			}
		})
	}
}

func TestExplainTakesDocuments(t *testing.T) {
	wide := []byte("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(head + "paths: {}")) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	for name, text := range map[string]string{
		"the one of nodes":    string(openapi.Nodes),
		"in UTF-16":           string(wide),
		"with a mark":         "\ufeff" + head + "paths: {}",
		"of 3.1, with null":   "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:",
		"of 3.1":              "openapi: 3.1.0\ninfo: {title: T, version: '1'}\nwebhooks: {}",
		"of 3.1 in two parts": "openapi: '3.1'\ninfo: {title: T, version: '1'}",
		"with an alias":       "openapi: 3.0.3\nx: &i {title: T, version: '1'}\ninfo: *i\npaths: {}",
		"in JSON with tabs":   "{\n\t\"openapi\": \"3.0.3\",\n\t\"info\": {},\n\t\"paths\": {}\n}",
	} {
		if err := load(text); err != nil {
			t.Errorf("a document %s: %v", name, err)
		}
	}
	other := errors.New("something else")
	if err := apitext.Explain(openapi.Nodes, other); err != other {
		t.Errorf("another error becomes %v", err)
	}
}
