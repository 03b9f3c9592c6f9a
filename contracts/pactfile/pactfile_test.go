package pactfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// read reads a pact of one interaction, whose fields follow its type.
func read(t *testing.T, interaction string) (*pactfile.File, error) {
	t.Helper()
	return readText(t, fmt.Sprintf(`{
		"consumer": {"name": "node"}, "provider": {"name": "registry"},
		"interactions": [{"type": "Synchronous/HTTP", "description": "a pool", %s}],
		"metadata": {"pactSpecification": {"version": "4.0"}}
	}`, interaction))
}

func readText(t *testing.T, text string) (*pactfile.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pact.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return pactfile.Read(path)
}

func TestRead(t *testing.T) {
	file, err := read(t, `
		"providerStates": [{"name": "a pool is there", "params": {"name": "pool-0"}}],
		"request": {"method": "PUT", "path": "/pools/pool-0", "query": {"force": ["true"]}, "headers": {"If-Match": ["1"]}},
		"response": {"status": 204}`)
	if err != nil {
		t.Fatal(err)
	}
	want := &pactfile.File{Consumer: "node", Provider: "registry", Interactions: []pactfile.Interaction{{
		Type:        "Synchronous/HTTP",
		Description: "a pool",
		States:      []pactfile.State{{Name: "a pool is there", Params: map[string]any{"name": "pool-0"}}},
		Request: pactfile.Request{
			Method:  "PUT",
			Path:    "/pools/pool-0",
			Query:   map[string][]string{"force": {"true"}},
			Headers: map[string][]string{"If-Match": {"1"}},
		},
		Response: pactfile.Response{Status: 204},
	}}}
	if diff := cmp.Diff(want, file); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

// Pacts of each specification that say the same are read the same.
func TestOlderSpecifications(t *testing.T) {
	const pact = `{"consumer": {"name": "node"}, "provider": {"name": "registry"}, "metadata": {%s}, ` +
		`"interactions": [{%s}]}`
	want, err := readText(t, fmt.Sprintf(pact, `"pactSpecification": {"version": "4.0"}`, `
		"type": "Synchronous/HTTP", "description": "a pool", "providerStates": [{"name": "a pool is there"}],
		"request": {"method": "PUT", "path": "/pools/1", "query": {"force": ["yes"]}, "headers": {"Accept": ["a"], "Content-Type": ["text/plain"]},
			"body": {"content": {"a": 1}, "contentType": "text/plain"}, "matchingRules": {
				"path": {"matchers": [{"match": "regex", "regex": "/.*"}]},
				"header": {"Accept": {"matchers": [{"match": "type"}]}}, "query": {"force[0]": {"matchers": [{"match": "type"}]}},
				"body": {"$.a": {"matchers": [{"match": "type", "min": 1}]}}}},
		"response": {"status": 204}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, older := range map[string]struct{ metadata, interaction string }{
		"2": {`"pactSpecificationVersion": "2.0.0"`, `
			"description": "a pool", "providerState": "a pool is there",
			"request": {"method": "put", "path": "/pools/1", "query": "force=yes", "headers": {"Accept": "a", "Content-Type": "text/plain"},
				"body": {"a": 1}, "matchingRules": {"$.path": {"regex": "/.*"}, "$.headers.Accept": {"match": "type"},
					"$.query.force[0]": {"match": "type"}, "$.body.a": {"min": 1}}},
			"response": {"status": 204}`},
		"3": {`"pact-specification": {"version": "3.0.0"}`, `
			"description": "a pool", "providerStates": [{"name": "a pool is there"}],
			"request": {"method": "PUT", "path": "/pools/1", "query": {"force": ["yes"]}, "headers": {"Accept": "a", "Content-Type": "text/plain"},
				"body": {"a": 1}, "matchingRules": {
					"path": {"matchers": [{"match": "regex", "regex": "/.*"}]},
					"header": {"Accept": {"matchers": [{"match": "type"}]}}, "query": {"force[0]": {"matchers": [{"match": "type"}]}},
					"body": {"$.a": {"matchers": [{"match": "type", "min": 1}]}}}},
			"response": {"status": 204}`},
	} {
		t.Run(name, func(t *testing.T) {
			have, err := readText(t, fmt.Sprintf(pact, older.metadata, older.interaction))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, have, cmp.AllowUnexported(pactfile.Path{})); diff != "" {
				t.Errorf("-want +have:\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	committed, err := os.ReadFile("../pacts/pool-managerd-orchestratord.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(committed)
	for _, version := range []string{"2.0.0", "3.0.0", "4.0"} {
		f.Add([]byte(`{"metadata": {"pactSpecification": {"version": "` + version +
			`"}}, "interactions": [{"providerState": "s",
			"type": "Synchronous/HTTP", "request": {"query": "a=b", "headers": {"A": "b"}, "body": "x", "matchingRules": {
				"$.body.a[0]['b']": {"regex": "c"}, "$.headers.A": {}, "body": {"$.a[*]": {"matchers": [{"match": "type"}]}}}}}]}`))
	}
	for _, one := range []string{
		`null`, `{"request": {"matchingRules": {"body": [], "$.body.x": {"match": "type"}}}}`,
	} {
		f.Add([]byte(`{"metadata": {"pactSpecification": {"version": "2.0.0"}}, "interactions": [` + one + `]}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := pactfile.Parse(data)
		if err == nil && len(file.Interactions) == 0 {
			t.Error("a pact without interactions is no error")
		}
	})
}

func TestByteOrderMark(t *testing.T) {
	text, err := os.ReadFile("../pacts/pool-managerd-orchestratord.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pactfile.Parse(append([]byte("\ufeff"), text...)); err != nil {
		t.Error(err)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"what is not JSON", `consumer`, "not a pact in JSON: invalid character"},
		{"a list", `[]`, "not a pact in JSON: the whole is of type array, which does not belong there"},
		{
			"an older specification", `{"interactions": [{}], "metadata": {"pactSpecification": {"version": "1.0.0"}}}`,
			`its version is "1.0.0"`,
		},
		{"no specification", `{"interactions": [{}]}`, `its version is ""`},
		{
			"older messages", `{"messages": [{}], "metadata": {"pactSpecification": {"version": "3.0.0"}}}`,
			"about messages",
		},
		{"a pact without interactions", `{"metadata": {"pactSpecification": {"version": "4.0"}}}`, "no interactions"},
		{
			"a message",
			`{"interactions": [{"type": "Asynchronous/Messages", "description": "news"}], "metadata": ` +
				`{"pactSpecification": {"version": "4.0"}}}`,
			`interaction 1: "news" is of type "Asynchronous/Messages"`,
		},
		{
			"an older interaction that is null",
			`{"interactions": [null], "metadata": {"pactSpecification": {"version": "3.0.0"}}}`,
			"interaction 1: it is null, not an object",
		},
		{
			"older rules in a category that holds none",
			`{"interactions": [{"request": {"matchingRules": {"body": [], "$.body.x": {"match": "type"}}}}], ` +
				`"metadata": {"pactSpecification": {"version": "2.0.0"}}}`,
			"interaction 1: request: the matching rules for body are not an object",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := readText(t, test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, not %s", err, test.want)
			}
		})
	}
	for _, test := range []struct{ name, interaction, want string }{
		{"an unknown encoding", `"request": {"body": {"content": "a", "encoded": "rot13"}}`, "rot13"},
		{
			"a path without a root", `"request": {"matchingRules": {"body": {"a": {}}}}`,
			`path "a" does not start with $`,
		},
		{
			"a path that cannot be read", `"request": {"matchingRules": {"body": {"$.a[?]": {}}}}`,
			`path "$.a[?]" cannot be read from "[?]" on`,
		},
		{
			"a variant before the first",
			`"request": {"matchingRules": {"body": {"$": {"matchers": [{"variants": [{"index": -1}]}]}}}}`,
			"a variant has the index -1",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := read(t, test.interaction); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, not %s", err, test.want)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       any // nil for none
	}{
		{"none", `null`, nil},
		{"empty", `{"content": ""}`, nil},
		{
			"JSON", `{"content": {"a": 1}, "contentType": "application/json", "encoded": false}`,
			map[string]any{"a": 1.0},
		},
		{"JSON in a string", `{"content": "[1]", "contentType": "application/json", "encoded": "json"}`, []any{1.0}},
		{"text", `{"content": "a", "contentType": "text/plain"}`, "a"},
		{"bytes", `{"content": "AAE=", "contentType": "application/octet-stream", "encoded": "base64"}`, "\x00\x01"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, err := read(t, `"response": {"body": `+test.body+`}`)
			if err != nil {
				t.Fatal(err)
			}
			body := file.Interactions[0].Response.Body
			if body.Empty() != (test.want == nil) {
				t.Fatalf("Empty() is %t", body.Empty())
			}
			if !body.Empty() {
				if diff := cmp.Diff(test.want, body.Content); diff != "" {
					t.Errorf("-want +have:\n%s", diff)
				}
			}
		})
	}
}

func TestRules(t *testing.T) {
	file, err := read(t, `"request": {"matchingRules": {
		"path": {"combine": "AND", "matchers": [{"match": "regex", "regex": "/.*"}]},
		"header": {"If-Match": {"combine": "AND", "matchers": [{"match": "type"}]}},
		"query": {"force": {"combine": "AND", "matchers": [{"match": "include", "value": "r"}]}},
		"body": {"$.b": {"matchers": [{"match": "eachValue", "rules": [{"match": "integer"}]}]}, "$.a": {"matchers": [
			{"match": "type", "min": 1, "max": 2},
			{"match": "arrayContains", "variants": [{"index": 1, "rules": {"$.k": {"matchers": [{"match": "decimal"}]}}}]}
		]}}
	}}`)
	if err != nil {
		t.Fatal(err)
	}
	rules := file.Interactions[0].Request.Rules
	body := rules.Body
	rules.Body = nil
	want := pactfile.Rules{
		Path:   []pactfile.Matcher{{Match: "regex", Regex: "/.*"}},
		Header: map[string][]pactfile.Matcher{"If-Match": {{Match: "type"}}},
		Query:  map[string][]pactfile.Matcher{"force": {{Match: "include", Value: "r"}}},
	}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	if len(body) != 2 || body[0].Path.String() != "$.a" || body[1].Path.String() != "$.b" {
		t.Fatalf("rules of the body: %v", body)
	}
	length, contains := body[0].Matchers[0], body[0].Matchers[1]
	if *length.Min != 1 || *length.Max != 2 {
		t.Errorf("lengths %d to %d", *length.Min, *length.Max)
	}
	if variant := contains.Variants[0]; variant.Index != 1 || variant.Rules[0].Path.String() != "$.k" ||
		variant.Rules[0].Matchers[0].Match != "decimal" {
		t.Errorf("variant %v", variant)
	}
	if inner := body[1].Matchers[0].Rules; len(inner) != 1 || inner[0].Match != "integer" {
		t.Errorf("rules of each value: %v", inner)
	}
}

func TestPaths(t *testing.T) {
	root := map[string]any{
		"a":   []any{map[string]any{"b": 1.0}, map[string]any{"b": 2.0, "c.d": 3.0}},
		"c'd": "x",
	}
	for path, want := range map[string][]any{
		"$":              {root},
		"$.a[*].b":       {1.0, 2.0},
		"$.a[1].b":       {2.0},
		"$.a[2].b":       nil,
		"$.a.b":          nil,
		"$['a'][0].*":    {1.0},
		"$.a[1]['c.d']":  {3.0},
		`$[\"c'd\"]`:     {"x"},
		"$.a[*]['none']": nil,
	} {
		t.Run(path, func(t *testing.T) {
			file, err := read(t, `"request": {"matchingRules": {"body": {"`+path+`": {}}}}`)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, file.Interactions[0].Request.Rules.Body[0].Path.Select(root)); diff != "" {
				t.Errorf("-want +have:\n%s", diff)
			}
		})
	}
}
