package twoway_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
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

// Each change to one of the files breaks the agreement in a way of its own.
func TestFindings(t *testing.T) {
	for _, test := range []struct {
		name             string
		file             string
		old, replacement string
		want             []string
	}{
		{
			"an operation that the document does not have",
			"pact.json", `"path": "/pools",`, `"path": "/pool",`,
			[]string{
				`"a list" /request/path: the document has no GET /pool`,
				`/paths/~1pools/get/responses/200: no interaction exercises 200 of listPools, and it is not exempt ` +
					`(document.yaml:17)`,
			},
		},
		{
			"a path that is no value of the parameter",
			"pact.json", `"path": "/pools/pool-0"
      },
      "response": {"status": 204}`, `"path": "/pools/Pool"
      },
      "response": {"status": 204}`,
			[]string{
				`"a pool" /request/matchingRules/path: the example "/pools/Pool" does not match its own regex ^/` +
					`pools/[a-z][a-z0-9-]*$`,
				`"a pool" /request/path: string doesn't match the regular expression "^[a-z][a-z0-9-]*$" ` +
					`(document.yaml:39)`,
			},
		},
		{
			"a status that the document does not declare",
			"pact.json", `"status": 204`, `"status": 201`,
			[]string{
				`"a pool" /response/status: the document declares no 201 for putPool (document.yaml:55)`,
				`/paths/~1pools~1{name}/put/responses/204: no interaction exercises 204 of putPool, and it is not ` +
					`exempt (document.yaml:56)`,
			},
		},
		{
			"an integer that is a string",
			"pact.json", `"slots": 4`, `"slots": "4"`,
			[]string{
				`"a pool" /request/body/content/slots: value must be an integer (document.yaml:86)`,
				`"a pool" /request/matchingRules/body/$.slots: the example "4" does not match its own matcher integer`,
			},
		},
		{
			"a value that breaks the format",
			"pact.json", `2025-10-01T00:00:00Z`, `yesterday`,
			[]string{
				`"a pool" /request/body/content/since: string doesn't match the format "date-time" (string doesn't ` +
					`match pattern "^[0-9]{4}-(0[1-9]|10|11|12)-(0[1-9]|[12][0-9]|3[01])T([0-1][0-9]|` +
					`2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)([0-1][0-9]|2[0-3]):[0-5][0-9])$") ` +
					`(document.yaml:95)`,
			},
		},
		{
			"a value that breaks a part of an allOf",
			"pact.json", `"bytes": 1`, `"bytes": "1"`,
			[]string{
				`"a list" /response/body/content/0/models/0/bytes: value must be an integer (document.yaml:115)`,
				`"a list" /response/matchingRules/body/$[*].models/variants/0/$.bytes: the example "1" does not ` +
					`match its own matcher integer`,
			},
		},
		{
			"a field of the request that the document does not have",
			"pact.json", `"load": 0.5,`, `"load": 0.5, "weight": 1,`,
			[]string{
				`"a pool" /request/body/content/weight: the document has no field "weight" here (document.yaml:76)`,
			},
		},
		{
			"a field of the response that the document does not have",
			"pact.json", `"id": "llama"`, `"id": "llama", "a/b~": 1`,
			[]string{
				`"a list" /response/body/content/0/models/0/a~1b~0: the document has no field "a/b~" here ` +
					`(document.yaml:98)`,
			},
		},
		{
			"a field that is required and missing",
			"pact.json", `{"load": 0.5, "name": "pool-0",`, `{"load": 0.5,`,
			[]string{
				`"a pool" /request/body/content/name: property "name" is missing (document.yaml:78)`,
			},
		},
		{
			"no body where the document requires one",
			"pact.json",
			`"body": {"content": {"name": "pool-0"}, "contentType": "application/json", "encoded": false},`, ``,
			[]string{
				`"a pool that is unknown" /request/body: there is no body, and the document requires one ` +
					`(document.yaml:50)`,
			},
		},
		{
			"a body where the document has none",
			"pact.json", `"response": {"status": 204}`,
			`"response": {"status": 204, "body": {"content": {"a": 1}, "contentType": "application/json"}}`,
			[]string{
				`"a pool" /response/body: there is a body, and the document has none (document.yaml:56)`,
			},
		},
		{
			"a body of a request where the document has none",
			"pact.json", `"path": "/pools",`,
			`"path": "/pools", "body": {"content": "a", "contentType": "text/plain"},`,
			[]string{
				`"a list" /request/body: there is a body, and the document has none (document.yaml:7)`,
			},
		},
		{
			"a success whose body has to be empty",
			"pact.json", `"body": {
          "content": [`, `"body": {"content": null}, "other": {
          "content": [`,
			[]string{
				`"a list" /response/body: the body has to be empty, and the document has one (document.yaml:24)`,
			},
		},
		{
			"an error whose body is of another media type",
			"pact.json", `{"status": 404}`,
			`{"status": 404, "body": {"content": "unknown", "contentType": "text/plain"}}`,
			[]string{
				`"a pool that is unknown" /response/body/content: the body is text/plain, and the document has it ` +
					`as application/problem+json (document.yaml:61)`,
			},
		},
		{
			"an error whose body is not valid",
			"pact.json", `{"status": 404}`,
			`{"status": 404, "headers": {"Content-Type": ["application/problem+json"]}, "body": {"content": ` +
				`{"code": 1}, "contentType": "application/json"}}`,
			[]string{
				`"a pool that is unknown" /response/body/content/code: the document has no field "code" here ` +
					`(document.yaml:61)`,
			},
		},
		{
			"a header of the request that the document does not have",
			"pact.json", `"If-Match": ["1"]`, `"If-None-Match": ["1"]`,
			[]string{
				`"a pool" /request/headers/If-None-Match: the document has no If-None-Match here (document.yaml:44)`,
			},
		},
		{
			"a token where the document requires none",
			"pact.json", `"Accept": ["application/json"]`, `"Authorization": ["Bearer abc"]`,
			[]string{
				`"a list" /request/headers/Authorization: the document has no Authorization here (document.yaml:9)`,
			},
		},
		{
			"a header of the response that the document does not have",
			"pact.json", `"x-total": ["1"]`, `"X-Count": ["1"]`,
			[]string{
				`"a list" /response/headers/X-Count: the document has no X-Count here (document.yaml:19)`,
				`"a list" /response/matchingRules/header/X-Total: the rule is for nothing: the example has no X-Total`,
			},
		},
		{
			"a header of the response that the document does not require",
			"document.yaml", "              required: true\n          content:", "          content:",
			[]string{
				`"a list" /response/headers/X-Total: the document does not require X-Total (document.yaml:20)`,
			},
		},
		{
			"a field of the response that the document does not require",
			"document.yaml", "[ready, engine, models, labels, notes]", "[ready, models, labels, notes]",
			[]string{
				`"a list" /response/body/content/0/engine: the document does not require the field "engine" ` +
					`(document.yaml:116)`,
			},
		},
		{
			"a field inside the response that the document does not require",
			"document.yaml", "required: [id, bytes]", "required: [id]",
			[]string{
				`"a list" /response/body/content/0/models/0/bytes: the document does not require the field "bytes" ` +
					`(document.yaml:98)`,
			},
		},
		{
			"a field that the document does no more than allow",
			"document.yaml", "          required: [any]\n", "",
			[]string{
				`"a list" /response/body/content/0/notes/any: the document does not require the field "any" ` +
					`(document.yaml:105)`,
			},
		},
		{
			"a header that is not valid",
			"pact.json", `"x-total": ["1"]`, `"x-total": ["one"]`,
			[]string{
				`"a list" /response/headers/x-total/0: value must be an integer (document.yaml:22)`,
				`"a list" /response/matchingRules/header/X-Total: the example "one" does not match its own matcher ` +
					`integer`,
			},
		},
		{
			"a query that the document does not have, and not the one that it requires",
			"pact.json", `"query": {"limit": ["10"]}`, `"query": {"page": ["1"]}`,
			[]string{
				`"a list" /request: the query parameter limit is missing, and the document requires it ` +
					`(document.yaml:12)`,
				`"a list" /request/matchingRules/query/limit: the rule is for nothing: the example has no limit`,
				`"a list" /request/query/page: the document has no page here (document.yaml:9)`,
			},
		},
		{
			"a query that is not valid",
			"pact.json", `"query": {"limit": ["10"]}`, `"query": {"limit": ["101"]}`,
			[]string{
				`"a list" /request/query/limit/0: number must be at most 100 (document.yaml:15)`,
			},
		},
		{
			"a matcher of another type",
			"pact.json", `"$.slots": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
			`"$.slots": {"combine": "AND", "matchers": [{"match": "boolean"}]}`,
			[]string{
				`"a pool" /request/matchingRules/body/$.slots: the example 4 does not match its own matcher boolean`,
				`"a pool" /request/matchingRules/body/$.slots: the matcher boolean stands for boolean, and the ` +
					`document has integer here (document.yaml:85)`,
			},
		},
		{
			"a decimal for an integer",
			"pact.json", `"$.slots": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
			`"$.slots": {"combine": "AND", "matchers": [{"match": "decimal"}]}`,
			[]string{
				`"a pool" /request/matchingRules/body/$.slots: the matcher decimal stands for number, and the ` +
					`document has integer here (document.yaml:85)`,
			},
		},
		{
			"null for what is not nullable",
			"pact.json", `{"match": "regex", "regex": "pool-\\d"}`, `{"match": "null"}`,
			[]string{
				`"a list" /response/matchingRules/body/$[*].name: the example "pool-0" does not match its own ` +
					`matcher null`,
				`"a list" /response/matchingRules/body/$[*].name: the matcher null stands for null, and the ` +
					`document has string here (document.yaml:80)`,
			},
		},
		{
			"a matcher on a field that the document does not have",
			"pact.json", `"$.slots"`, `"$.places"`,
			[]string{
				`"a pool" /request/matchingRules/body/$.places: the document has no field "places" here ` +
					`(document.yaml:76)`,
			},
		},
		{
			"a matcher on an item of what is no array",
			"pact.json", `"$.slots"`, `"$.slots[0]"`,
			[]string{
				`"a pool" /request/matchingRules/body/$.slots[0]: the document has no array here (document.yaml:85)`,
			},
		},
		{
			"a matcher of another type on each value",
			"pact.json", `"rules": [{"match": "type"}]`, `"rules": [{"match": "integer"}]`,
			[]string{
				`"a list" /response/matchingRules/body/$[*].labels: the example "a" does not match its own matcher ` +
					`integer`,
				`"a list" /response/matchingRules/body/$[*].labels: the matcher integer stands for integer or ` +
					`number, and the document has string here (document.yaml:103)`,
			},
		},
		{
			"a matcher of another type on an item that is contained",
			"pact.json", `"$.bytes": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
			`"$.bytes": {"combine": "AND", "matchers": [{"match": "regex", "regex": "1"}]}`,
			[]string{
				`"a list" /response/matchingRules/body/$[*].models/variants/0/$.bytes: the matcher regex stands for ` +
					`string, and the document has integer here (document.yaml:114)`,
			},
		},
		{
			"a matcher that nobody knows",
			"pact.json", `{"match": "boolean"}`, `{"match": "truthy"}`,
			[]string{
				`"a list" /response/matchingRules/body/$[*].ready: nothing is known here of a matcher called "truthy"`,
			},
		},
		{
			"a regex that its example does not match as a whole",
			"pact.json", `pool-\\d`, `pool`,
			[]string{
				`"a list" /response/body/content/0/name: the document allows "pool-0", and the regex pool does not ` +
					`(document.yaml:80)`,
				`"a list" /response/matchingRules/body/$[*].name: the example "pool-0" does not match its own regex ` +
					`pool`,
			},
		},
		{
			"a regex that cannot be read",
			"pact.json", `pool-\\d`, `pool-(?!x)\\d`,
			[]string{
				"\"a list\" /response/matchingRules/body/$[*].name: the regex cannot be checked: error parsing " +
					"regexp: invalid or unsupported Perl syntax: `(?!`",
			},
		},
		{
			"more items than there can be",
			"pact.json", `{"match": "type", "min": 1}`, `{"match": "type", "min": 4}`,
			[]string{
				`"a list" /response/matchingRules/body/$: the matcher demands at least 4 items, and the document ` +
					`has at most 3 (document.yaml:29)`,
			},
		},
		{
			"fewer items than there have to be",
			"pact.json", `{"match": "type", "min": 1}`, `{"match": "type", "max": 0}`,
			[]string{
				`"a list" /response/matchingRules/body/$: the matcher allows at most 0 items, and the document has ` +
					`at least 1 (document.yaml:28)`,
			},
		},
		{
			"a length of what is no array",
			"pact.json", `"$.slots": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
			`"$.slots": {"combine": "AND", "matchers": [{"match": "type", "min": 1}]}`,
			[]string{
				`"a pool" /request/matchingRules/body/$.slots: the matcher type stands for array, and the document ` +
					`has integer here (document.yaml:85)`,
			},
		},
		{
			"a matcher of another type on a header",
			"pact.json", `"X-Total": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
			`"X-Total": {"combine": "AND", "matchers": [{"match": "boolean"}]}`,
			[]string{
				`"a list" /response/matchingRules/header/X-Total: the example "1" does not match its own ` +
					`matcher boolean`,
				`"a list" /response/matchingRules/header/X-Total: the matcher boolean stands for boolean, and the ` +
					`document has integer or string here (document.yaml:20)`,
			},
		},
		{
			"a matcher on a header that the document does not have",
			"pact.json", `{"X-Total": {"combine"`, `{"X-Count": {"combine"`,
			[]string{
				`"a list" /response/matchingRules/header/X-Count: the document has no X-Count here (document.yaml:19)`,
			},
		},
		{
			"a matcher on a query that the document does not have",
			"pact.json", `{"limit": {"combine"`, `{"page": {"combine"`,
			[]string{
				`"a list" /request/matchingRules/query/page: the document has no page here (document.yaml:9)`,
			},
		},
		{
			"a path matcher that lets more through than the parameter",
			"pact.json", `^/pools/[a-z][a-z0-9-]*$`, `^/pools/[^/]+$`,
			[]string{
				`"a pool" /request/matchingRules/path: the path matcher lets through "/pools/ ", which is not a ` +
					`path of putPool (document.yaml:40)`,
			},
		},
		{
			"a path matcher that lets other paths through",
			"pact.json", `^/pools/[a-z][a-z0-9-]*$`, `^/pools(/[a-z][a-z0-9-]*)?$`,
			[]string{
				`"a pool" /request/matchingRules/path: the path matcher lets through "/pools", which is not a path ` +
					`of putPool (document.yaml:40)`,
			},
		},
		{
			"a path matcher that lets everything through",
			"pact.json", `{"match": "regex", "regex": "^/pools/[a-z][a-z0-9-]*$"}`, `{"match": "type"}`,
			[]string{
				`"a pool" /request/matchingRules/path: the path matcher lets through "/pools/pool-0/x", which is ` +
					`not a path of putPool (document.yaml:40)`,
			},
		},
		{
			"a path matcher that the path does not match",
			"pact.json", `^/pools/[a-z][a-z0-9-]*$`, `^/pool/[a-z][a-z0-9-]*$`,
			[]string{
				`"a pool" /request/matchingRules/path: the example "/pools/pool-0" does not match its own regex ^/` +
					`pool/[a-z][a-z0-9-]*$`,
			},
		},
		{
			"a status that is left open",
			"pact.json", `"response": {"status": 204}`,
			`"response": {"status": 204, "matchingRules": {"status": {"matchers": [{"match": "statusCode", ` +
				`"status": "success"}]}}}`,
			[]string{
				`"a pool" /response/matchingRules/status: the status is left open: an interaction expects one that ` +
					`the document declares`,
			},
		},
		{
			"a status that no interaction exercises",
			"exempt.yaml", "- status: 422\n  operations: [putPool]\n  reason: the client validates what it sends\n", "",
			[]string{
				`/paths/~1pools~1{name}/put/responses/422: no interaction exercises 422 of putPool, and it is not ` +
					`exempt (document.yaml:68)`,
			},
		},
		{
			"an exemption of a status that is exercised",
			"exempt.yaml", "[putPool]", "[putPool]\n  reason: none\n- status: 204\n  operations: [putPool]",
			[]string{
				`204 of putPool is exempt for nothing: interaction "a pool" exercises it (exempt.yaml:5)`,
			},
		},
		{
			"an exemption of a status that is not declared",
			"exempt.yaml", "[putPool]", "[putPool, listPools, dropPool]",
			[]string{
				`422 of listPools is exempt for nothing: the document declares no such status (exempt.yaml:2)`,
				`422 of dropPool is exempt for nothing: the document declares no such status (exempt.yaml:2)`,
			},
		},
		{
			"an exemption that is there already",
			"exempt.yaml", "[putPool]", "[putPool, putPool]",
			[]string{
				`422 of putPool is exempt for nothing: an entry above says so already (exempt.yaml:2)`,
			},
		},
		{
			"an interaction that the provider does not keep",
			"results.json", `"skipped"`, `"failed"`,
			[]string{
				`"a pool that is unknown": registry does not keep it`,
			},
		},
		{
			"an interaction that was not verified, and one that is not in the pact",
			"results.json", `"description": "a pool",`, `"description": "an old pool",`,
			[]string{
				`"a pool": the verification of registry has no result for it`,
				`"an old pool": it was verified, but the pact does not have it`,
			},
		},
		{
			"an interaction that was verified in another state",
			"results.json", `"providerStates": ["no pool is there"]`, `"providerStates": []`,
			[]string{
				`"a pool that is unknown": the verification of registry has no result for it`,
				`"a pool that is unknown": it was verified, but the pact does not have it`,
			},
		},
	} {
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
