package twoway_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/contracts/twoway"
)

var update = flag.Bool("update", false, "write the golden files")

// files are the texts that a check reads, by the name of their file in testdata.
type files map[string]string

func testdata(t *testing.T) files {
	t.Helper()
	texts := files{}
	for _, name := range []string{"document.yaml", "pact.json", "exempt.yaml", "results.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// change replaces a part of one of the texts, which has to be there once.
func (f files) change(t *testing.T, name, old, replacement string) {
	t.Helper()
	if n := strings.Count(f[name], old); n != 1 {
		t.Fatalf("%s has %q %d times, not once", name, old, n)
	}
	f[name] = strings.Replace(f[name], old, replacement, 1)
}

// check writes the texts to files and checks these.
func (f files) check(t *testing.T) *twoway.Report {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range f {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var in twoway.Input
	var err error
	if in.Document, err = twoway.Load(t.Context(), "document.yaml"); err != nil {
		t.Fatal(err)
	}
	if in.Pact, err = pactfile.Read("pact.json"); err != nil {
		t.Fatal(err)
	}
	if in.Exemptions, err = twoway.LoadExemptions("exempt.yaml"); err != nil {
		t.Fatal(err)
	}
	if in.Results, err = results.Read("results.json"); err != nil {
		t.Fatal(err)
	}
	return twoway.Check(in)
}

func TestAgreement(t *testing.T) {
	if findings := testdata(t).check(t).Findings; len(findings) > 0 {
		t.Errorf("findings although pact and document agree: %v", findings)
	}
}

// finding is a change to one of the files that breaks the agreement in a way of its own, and what is
// found then.
type finding struct {
	name             string
	file             string
	old, replacement string
	want             []string
}

func TestFindings(t *testing.T) {
	for _, test := range slices.Concat(changedExamples, changedMatchers, changedCoverage) {
		t.Run(test.name, func(t *testing.T) {
			texts := testdata(t)
			texts.change(t, test.file, test.old, test.replacement)
			var have []string
			for _, finding := range texts.check(t).Findings {
				have = append(have, finding.String())
			}
			if diff := cmp.Diff(test.want, have); diff != "" {
				t.Errorf("findings (-want +have):\n%s", diff)
			}
		})
	}
}

// What is sent to be refused is not held to the document, where it is sent to is.
func TestRequestsMeantToFail(t *testing.T) {
	texts := testdata(t)
	texts.change(t, "pact.json", `{"content": {"name": "pool-0"}, "contentType": "application/json", "encoded": false}`,
		`{"content": "pool-0", "contentType": "text/plain"}`)
	if findings := texts.check(t).Findings; len(findings) != 1 {
		t.Fatalf("%d findings although the request is to succeed, not one: %v", len(findings), findings)
	}
	texts.change(t, "pact.json", `{"status": 404}`, `{"status": 422}`)
	texts.change(t, "exempt.yaml", "422", "404")
	if findings := texts.check(t).Findings; len(findings) > 0 {
		t.Errorf("findings although the request is to fail: %v", findings)
	}
	texts.change(t, "pact.json", `"name": "no pool is there"}],
      "request": {`, `"name": "no pool is there"}],
      "request": {"query": {"force": ["true"]},`)
	want := `"a pool that is unknown" /request/query/force: the document has no force here (document.yaml:44)`
	if findings := texts.check(t).Findings; len(findings) != 1 || findings[0].String() != want {
		t.Errorf("findings %v, not %s", findings, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct {
		name, file, text, want string
		load                   func(path string) error
	}{
		{"what is no OpenAPI document", "document.yaml", "a: b", "document.yaml: ", load},
		{
			"a document that lacks a part", "document.yaml", "openapi: 3.0.3\ninfo: {title: a, version: '1'}\n",
			"document.yaml: it has no paths", load,
		},
		{
			"a document that is not valid", "document.yaml",
			"openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {a: {}}\n",
			"document.yaml: invalid paths", load,
		},
		{
			"a schema that is a part of itself", "document.yaml",
			"openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}\n" +
				"components: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}}\n",
			"document.yaml: schema #/components/schemas/A is a part of itself", load,
		},
		{
			"a header that is null", "document.yaml",
			"openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}\n" +
				"components: {headers: {X-A: {content: {text/plain: null}}}}\n",
			"document.yaml: #/components/headers/X-A/content/text~1plain is null: it must be an object", load,
		},
		{
			"an exemption without a reason", "exempt.yaml", "- status: 405\n  operations: [a]\n",
			"exempt.yaml:1: the exemption gives no reason", loadExemptions,
		},
		{
			"an exemption with a field that there is not", "exempt.yaml", "- statuses: [405]\n",
			"exempt.yaml: not a list of exemptions: line 1: field statuses not found",
			loadExemptions,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile(test.file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := test.load(test.file); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, not one that starts with %s", err, test.want)
			}
			if err := test.load("missing"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v of a file that is missing", err)
			}
		})
	}
}

func load(path string) error {
	_, err := twoway.Load(context.Background(), path)
	return err
}

func loadExemptions(path string) error {
	_, err := twoway.LoadExemptions(path)
	return err
}

func TestFormats(t *testing.T) {
	texts := testdata(t)
	texts.change(t, "pact.json", `"slots": 4`, `"slots": "4"`)
	texts.change(t, "exempt.yaml", "what it sends", "what it sends | reads")
	texts.change(t, "document.yaml", `"204"`, `"202"`)
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	report := texts.check(t)
	for name, format := range map[string]string{
		"table.txt":   "text",
		"report.json": "json",
		"summary.md":  "markdown",
	} {
		t.Run(name, func(t *testing.T) {
			var have bytes.Buffer
			if err := report.Writers()[format](&have); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(home, "testdata", "golden", name)
			if *update {
				if err := os.WriteFile(golden, have.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), have.String()); diff != "" {
				t.Errorf("-want +have:\n%s", diff)
			}
		})
	}
}
