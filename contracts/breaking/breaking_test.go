package breaking_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/contracts/breaking"
	"github.com/llama-orch/node-registration/openapi"
)

var update = flag.Bool("update", false, "write the golden files")

func TestFormats(t *testing.T) {
	t.Chdir("testdata")
	base, err := breaking.ReadBase(t.Context(), "base.yaml", "document.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := breaking.ReadFile("document.yaml")
	if err != nil {
		t.Fatal(err)
	}
	report, err := breaking.Compare(t.Context(), base, document)
	if err != nil {
		t.Fatal(err)
	}
	for name, format := range map[string]string{
		"report.txt":      "text",
		"report.json":     "json",
		"changelog.md":    "markdown",
		"annotations.txt": "github",
	} {
		t.Run(name, func(t *testing.T) {
			var have bytes.Buffer
			if err := report.Writers(breaking.OldNodes)[format](&have); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("golden", name)
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

// Changes of the contract itself, and what becomes of those who keep to it.
func TestChangesOfTheContract(t *testing.T) {
	for _, test := range []struct {
		name             string
		old, replacement string
		breaking         bool
		rule             string // of the first change, empty for none
		where            string
	}{
		{"nothing", "openapi:", "openapi:", false, "", ""},
		{"words", "summary: Register a node", "summary: Sign a node up", false, "", ""},
		{
			"a path renamed", "/v2/nodes/{id}/heartbeat:", "/v2/nodes/{id}/beat:",
			true, "api-path-removed-without-deprecation", "POST /v2/nodes/{id}/heartbeat",
		},
		{
			"the path of the server", "default: http://127.0.0.1:8080\n", "default: http://127.0.0.1:8080/api\n",
			true, "server-path-changed",
			"POST /v2/nodes/register, GET /v2/nodes, POST /v2/nodes/{id}/heartbeat, DELETE /v2/nodes/{id}",
		},
		{
			"a success of another status", `"204":`, `"202":`,
			true, "response-success-status-removed", "DELETE /v2/nodes/{id}",
		},
		{
			"a field of a request renamed", "        slots_free:\n", "        free_slots:\n",
			true, "request-property-removed", "POST /v2/nodes/{id}/heartbeat",
		},
		{
			"a field of a request required", "required: [pool_id, ready, slots_free]",
			"required: [pool_id, ready, slots_free, draining]",
			true, "request-property-became-required", "POST /v2/nodes/{id}/heartbeat",
		},
		{
			"a field inside a request required", "required: [gpu_count, total_vram_mb, cuda_version]",
			"required: [gpu_count, total_vram_mb, cuda_version, gpus]",
			true, "request-property-became-required", "POST /v2/nodes/register",
		},
		{
			"a field of an answer optional", "required: [success, next_heartbeat_ms]", "required: [success]",
			true, "response-property-became-optional", "POST /v2/nodes/{id}/heartbeat",
		},
		{
			"a field of an answer of another type",
			"next_heartbeat_ms:\n          type: integer\n          format: int64",
			"next_heartbeat_ms:\n          type: string",
			true, "response-property-type-changed", "POST /v2/nodes/{id}/heartbeat",
		},
		{
			"a status that no client knows", "enum: [Registering,", "enum: [Lost, Registering,",
			true, "response-property-enum-value-added", "GET /v2/nodes",
		},
		{
			"a token required", "  - bearerAuth: []\n  - {}\n", "  - bearerAuth: []\n",
			true, "api-security-anonymous-access-removed",
			"GET /v2/nodes, POST /v2/nodes/register, DELETE /v2/nodes/{id}, POST /v2/nodes/{id}/heartbeat",
		},
		{
			"a request closed", "    RegisterRequest:\n      type: object\n",
			"    RegisterRequest:\n      type: object\n      additionalProperties: false\n",
			true, "request-object-closed", "POST /v2/nodes/register",
		},
		{
			"an item of a request closed", "    PoolStatus:\n      type: object\n",
			"    PoolStatus:\n      type: object\n      additionalProperties: false\n",
			true, "request-object-closed", "POST /v2/nodes/{id}/heartbeat",
		},
		{
			"an item deep in a request closed", "    GPU:\n      type: object\n",
			"    GPU:\n      type: object\n      additionalProperties: false\n",
			true, "request-object-closed", "POST /v2/nodes/register",
		},
		{
			"an object inside a request closed", "    NodeCapabilities:\n      type: object\n",
			"    NodeCapabilities:\n      type: object\n      additionalProperties: false\n",
			true, "request-object-closed", "POST /v2/nodes/register",
		},
		{
			"an answer closed", "    RegisterResponse:\n      type: object\n",
			"    RegisterResponse:\n      type: object\n      additionalProperties: false\n",
			false, "response-object-opened", "POST /v2/nodes/register",
		},
		{
			"a field of a request added", "        slots_free:\n",
			"        note:\n          type: string\n        slots_free:\n",
			false, "new-optional-request-property", "POST /v2/nodes/{id}/heartbeat",
		},
		{
			"a field of an answer added", "        message:\n",
			"        note:\n          type: string\n        message:\n",
			false, "response-optional-property-added", "POST /v2/nodes/register",
		},
		{
			"an error added", `        "429":`,
			"        \"418\":\n          $ref: \"#/components/responses/Throttled\"\n        \"429\":",
			false, "response-non-success-status-added", "GET /v2/nodes",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := breaking.Source{Name: "base.yaml", Data: openapi.Nodes}
			if !bytes.Contains(base.Data, []byte(test.old)) {
				t.Fatalf("the contract has no %q", test.old)
			}
			document := breaking.Source{
				Name: "document.yaml",
				Data: bytes.Replace(base.Data, []byte(test.old), []byte(test.replacement), 1),
			}
			report, err := breaking.Compare(t.Context(), base, document)
			if err != nil {
				t.Fatal(err)
			}
			if have := report.Breaks(breaking.OldNodes); have != test.breaking {
				t.Errorf("breaks old nodes: %t", have)
			}
			var first breaking.Change
			if len(report.Changes) > 0 {
				first = report.Changes[0]
			}
			if where := strings.Join(first.Where, ", "); first.Rule != test.rule || where != test.where {
				t.Errorf("first change is %s in %s", first.Rule, where)
			}
		})
	}
}

func TestCompareRefuses(t *testing.T) {
	good := breaking.Source{Name: "good.yaml", Data: openapi.Nodes}
	for name, text := range map[string]string{
		"what is no YAML":          "a: [",
		"what is empty":            "",
		"a document without paths": "openapi: 3.0.3\ninfo: {title: a, version: '1'}\n",
		"a reference to nothing": "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {/a: {$ref: '#/" +
			"components/pathItems/a'}}\n",
		"a document of another kind": "swagger: '2.0'\ninfo: {title: a, version: '1'}\npaths: {}\n",
	} {
		t.Run(name, func(t *testing.T) {
			bad := breaking.Source{Name: "bad.yaml", Data: []byte(text)}
			for _, pair := range [][2]breaking.Source{{bad, good}, {good, bad}} {
				if _, err := breaking.Compare(t.Context(), pair[0], pair[1]); err == nil ||
					!strings.HasPrefix(err.Error(), "bad.yaml: ") {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}

// What is still asked for was not removed.
func TestCredentialsThatAreNoLongerEnough(t *testing.T) {
	const document = `{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": {
		"security": [SECURITY], "responses": {"200": {"description": "ok"}}}}},
		"components": {"securitySchemes": {"b": {"type": "http", "scheme": "bearer"},
		"k": {"type": "apiKey", "in": "header", "name": "X-K"}}}}`
	source := func(security string) breaking.Source {
		return breaking.Source{Name: "a.json", Data: []byte(strings.Replace(document, "SECURITY", security, 1))}
	}
	for _, test := range []struct{ base, revised, want string }{
		{`{"k": []}`, `{"k": [], "b": []}`, "the endpoint scheme security `k` alone is no longer enough"},
		{`{"k": []}`, `{"b": []}`, "the endpoint scheme security `k` was removed from the API"},
	} {
		report, err := breaking.Compare(t.Context(), source(test.base), source(test.revised))
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range report.Changes {
			if have := slices.Contains(change.Breaks, breaking.OldNodes); have != (change.What == test.want) {
				t.Errorf("from %s to %s: %q breaks old nodes: %t", test.base, test.revised, change.What, have)
			}
		}
		if !report.Breaks(breaking.OldNodes) {
			t.Errorf("from %s to %s breaks nobody", test.base, test.revised)
		}
	}
}

// A path of the servers is no path of an operation: what else has changed of that is found.
func TestPathOfTheServers(t *testing.T) {
	base := breaking.Source{Name: "base.yaml", Data: openapi.Nodes}
	revised := breaking.Source{Name: "revised.yaml", Data: []byte(strings.NewReplacer(
		`"{orchestratord}"`, `"{orchestratord}/api"`, "required: [success, next_heartbeat_ms]", "required: [success]",
	).Replace(string(base.Data)))}
	report, err := breaking.Compare(t.Context(), base, revised)
	if err != nil {
		t.Fatal(err)
	}
	line := 1 + bytes.Count(revised.Data[:bytes.Index(revised.Data, []byte(`url: "{`))], []byte("\n"))
	var rules []string
	for _, change := range report.Changes {
		rules = append(rules, change.Rule)
		const what = "the `servers` have the path `/api`, and had no path"
		if change.Rule == "server-path-changed" &&
			(change.What != what || change.Line != line || len(change.Breaks) != 2) {
			t.Errorf("%+v, want line %d", change, line)
		}
	}
	slices.Sort(rules)
	want := []string{"api-version-not-bumped", "response-property-became-optional", "server-path-changed"}
	if !slices.Equal(rules, want) {
		t.Errorf("changes %s, want %s", rules, want)
	}
}

// A change that is of no operation is one change, though nodes call and are called.
func TestChangeOfTheDocumentAsAWhole(t *testing.T) {
	base := breaking.Source{Name: "base.yaml", Data: openapi.Nodes}
	revised := breaking.Source{
		Name: "revised.yaml", Data: bytes.Replace(base.Data, []byte("scheme: bearer"), []byte("scheme: basic"), 1),
	}
	report, err := breaking.Compare(t.Context(), base, revised)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, change := range report.Changes {
		rules = append(rules, change.Rule)
	}
	want := []string{"api-security-component-http-scheme-changed", "api-version-not-bumped"}
	if !slices.Equal(rules, want) {
		t.Errorf("changes %s, want %s", rules, want)
	}
}
