package walkable_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/walkable"
)

// read reads a document of a schema A, which is the body of a request.
func read(t *testing.T, schemas, more string) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData([]byte(`{openapi: 3.1.0, info: {title: t, version: "1"},
		paths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}},
			responses: {"200": {description: d}}}}},
		components: {schemas: {` + schemas + `}}` + more + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// twice returns schemas A, S1, S2 and so on. Each has the next one twice.
func twice(format string, count int) string {
	schemas := "A: {$ref: '#/components/schemas/S1'}"
	for i := range count {
		next := fmt.Sprintf(`{$ref: "#/components/schemas/S%d"}`, i+2)
		schemas += fmt.Sprintf(", S%d: %s", i+1, fmt.Sprintf(format, next, next))
	}
	return schemas + fmt.Sprintf(", S%d: {type: string}", count+1)
}

// all returns schemas A, S1, S2 and so on. Each has a field for every schema.
func all(count int) string {
	var fields []string
	schemas := "A: {$ref: '#/components/schemas/S1'}"
	for i := range count {
		fields = append(fields, fmt.Sprintf("f%d: {$ref: '#/components/schemas/S%d'}", i, i+1))
	}
	for i := range count {
		schemas += fmt.Sprintf(", S%d: {properties: {%s}}", i+1, strings.Join(fields, ", "))
	}
	return schemas
}

const (
	itself = `{$ref: "#/components/schemas/A"}`
	other  = `{$ref: "#/components/schemas/B"}`
)

func TestSchemas(t *testing.T) {
	t.Parallel()
	const (
		circle = " is a part of itself"
		grows  = " makes the document unfold to more than 100000 schemas"
	)
	for name, test := range map[string]struct{ schemas, want string }{
		"a tree by a field":     {`A: {properties: {a: ` + itself + `}}`, ""},
		"a tree by items":       {`A: {items: ` + itself + `}`, ""},
		"a tree by any field":   {`A: {additionalProperties: ` + itself + `}`, ""},
		"a tree through a part": {`A: {allOf: [{properties: {a: ` + itself + `}}]}`, ""},
		"a part twice":          {`A: {allOf: [` + other + `, {items: ` + other + `}]}, B: {}`, ""},
		"all fields of all":     {all(4), ""},
		"ten times twice":       {twice("{allOf: [%s, %s]}", 10), ""},
		"allOf":                 {`A: {allOf: [` + itself + `]}`, "schema #/components/schemas/A" + circle},
		"a part of a field": {
			`A: {properties: {a: {allOf: [` + other + `]}}}, B: {not: ` + other + `}`,
			"schema #/components/schemas/B" + circle,
		},
		"a condition":            {`A: {if: {}, then: ` + itself + `}`, "schema #/components/schemas/A" + circle},
		"a condition of a field": {`A: {dependentSchemas: {a: ` + itself + `}}`, "schemas/A" + circle},
		"allOf of the next, twice": {
			twice("{allOf: [%s, %s]}", 24), "schema #/components/schemas/S9" + grows,
		},
		"fields of the next, twice":  {twice("{properties: {a: %s, b: %s}}", 24), grows},
		"anyOf and not of the next":  {twice("{anyOf: [%s], not: %s}", 24), grows},
		"items and fields, unending": {all(12), grows},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := walkable.Check(read(t, test.schemas, ""))
			if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestNull(t *testing.T) {
	t.Parallel()
	const (
		content  = `content: {text/plain: null}`
		request  = `{requestBody: {` + content + `}}`
		headers  = `headers: {X-A: {` + content + `}}`
		media    = "/content/text~1plain"
		answered = `{responses: {"200": {description: d, ` + headers + `}}}`
		encoded  = `{requestBody: {content: {a/b: {encoding: {c: {` + headers + `}}}}}}`
		asked    = `parameters: [{name: q, in: query, ` + content + `}]`
	)
	for name, test := range map[string]struct{ webhook, want string }{
		"a webhook":          {`null`, ""},
		"a path's server":    {`{servers: [null]}`, "/servers/0"},
		"a server":           {`{post: {servers: [{url: /a}, null]}}`, "/post/servers/1"},
		"a request":          {`{post: ` + request + `}`, "/post/requestBody" + media},
		"a header":           {`{post: ` + answered + `}`, "/post/responses/200/headers/X-A" + media},
		"a parameter":        {`{post: {` + asked + `}}`, "/post/parameters/0" + media},
		"a path's parameter": {`{` + asked + `}`, "/parameters/0" + media},
		"a callback's": {
			`{post: {callbacks: {b: {/c: {get: ` + request + `}}}}}`, "/post/callbacks/b/~1c/get/requestBody" + media,
		},
		"a header of a field": {
			`{post: ` + encoded + `}`, "/post/requestBody/content/a~1b/encoding/c/headers/X-A" + media,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := walkable.Check(read(t, "A: {}", `, webhooks: {a: `+test.webhook+`}`))
			want := "#/webhooks/a" + test.want + " is null: it must be an object"
			if err == nil || err.Error() != want {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}

// TestNullTag has null in the list of tags.
func TestNullTag(t *testing.T) {
	t.Parallel()
	err := walkable.Check(read(t, "A: {}", ", tags: [{name: a}, null]"))
	if want := "#/tags/1 is null: it must be an object"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// TestNullComponents has null within components that nothing refers to.
func TestNullComponents(t *testing.T) {
	t.Parallel()
	for component, text := range map[string]string{
		"headers":       `{content: {text/plain: null}}`,
		"parameters":    `{name: a, in: query, content: {text/plain: null}}`,
		"requestBodies": `{content: {text/plain: null}}`,
		"responses":     `{description: d, content: {text/plain: null}}`,
	} {
		err := walkable.Check(read(t, "A: {}}, "+component+": {B: "+text, ""))
		if want := "#/components/" + component + "/B/content/text~1plain is null: it must be an object"; err == nil ||
			err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestPlaces looks for the places of a document that has one of each kind.
func TestPlaces(t *testing.T) {
	t.Parallel()
	const (
		header   = `headers: {X-A: {content: {text/plain: {}}}}`
		in       = "/content/text~1plain/"
		callback = "#/webhooks/a/put/callbacks/b/~1c/"
	)
	document := read(t, "A: {}}, parameters: {B: {name: b, in: query}", `, webhooks: {a: {
		parameters: [{$ref: "#/components/parameters/B"}, {name: q, in: query, content: {text/plain: {}}}],
		put: {
			responses: {"200": {description: d, `+header+`}},
			callbacks: {b: {/c: {get: {
				parameters: [{name: r, in: query}],
				requestBody: {content: {a/b: {encoding: {e: {`+header+`}}}}}}}}}}}}`)
	var got []string
	if err := walkable.Places(document, func(place string, schema **openapi3.SchemaRef) error {
		got = append(got, place)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"#/components/parameters/B/schema",
		"#/paths/~1a/post/requestBody/content/application~1json/schema",
		"#/webhooks/a/parameters/1/schema", "#/webhooks/a/parameters/1" + in + "schema",
		"#/webhooks/a/put/responses/200/headers/X-A/schema",
		"#/webhooks/a/put/responses/200/headers/X-A" + in + "schema",
		callback + "get/parameters/0/schema", callback + "get/requestBody/content/a~1b/schema",
		callback + "get/requestBody/content/a~1b/encoding/e/headers/X-A" + in + "itemSchema",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if again := "#/webhooks/a/parameters/0/schema"; slices.Contains(got, again) {
		t.Errorf("%s is visited twice", again)
	}
}
