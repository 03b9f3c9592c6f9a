package yamlwords_test

import (
	"errors"
	"io"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/yamlwords"
)

func TestPlain(t *testing.T) {
	const head = "openapi: 3.0.3\ninfo: {title: T, version: \"1\"}\n"
	const misplaced = "this does not belong here: look for a quote or a bracket that is not closed, and at the " +
		"indentation"
	for text, want := range map[string]string{
		head + "paths:\n\t/a: {}": "line 4: a tab, or a text that begins with @, % or a backquote: indent by " +
			"blanks, and put such a text in quotes",
		head + "info: {}":                               `line 3: "info" is there a second time, after line 2`,
		"openapi: \"3.0.3\ninfo: {title: \"T\"}":        "line 2: " + misplaced,
		head + "paths:\n  /a:\n      get:\n    put: {}": "line 6: " + misplaced,
		`{"info": {"title": "T" "version": "1"}}`:       "line 1: a comma or the closing } is missing",
		head + "paths: {/a: [}": "line 3: a value is missing: " +
			"look for a bracket that is not closed",
		head + "x: a: b": "line 3: a colon does not belong here: put a text that has one in quotes, and look at the " +
			"indentation",
		head + "paths: *x":  "line 3: there is no &x that *x refers to",
		head + "x: &a [*a]": "the value of &a contains itself",
		head + "paths: 5":   "line 3: /paths is a number: must be an object",
		head + "paths: []":  "line 3: /paths is a list: must be an object",
		"info: a\npaths: 5": "line 1: /info is a text: must be an object; " +
			"line 2: /paths is a number: must be an object",
		head + "servers: {}":                   "line 3: /servers is an object: must be a list",
		head + "tags: 3":                       "line 3: /tags is a number: must be a list",
		head + "paths: {/a: {parameters: {}}}": "line 3: /paths/~1a/parameters is an object: must be a list",
		head + "components: {schemas: {A: {minLength: x}}}": "line 3: /components/schemas/A/minLength is a text: " +
			"must be a number",
		head + "components: {schemas: {A: {nullable: x}}}": "line 3: /components/schemas/A/nullable is a text: " +
			"must be true or false",
		"[]": "line 1: a value is a list: must be an object",
	} {
		_, err := openapi3.NewLoader().LoadFromData([]byte(text))
		if got := yamlwords.Plain(err); err == nil || got.Error() != want || !errors.Is(got, err) {
			t.Errorf("%s\nis %v\nwant %s\nof   %v", text, got, want, err)
		}
	}
	var list struct{ Names []string }
	err := yamlwords.Plain(yaml.Unmarshal([]byte("names: 7"), &list))
	if want := "line 1: a value is a number: must be a list"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := yamlwords.Plain(io.EOF); err != io.EOF {
		t.Errorf("another error becomes %v", err)
	}
}
