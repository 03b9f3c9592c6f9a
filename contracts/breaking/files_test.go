package breaking_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/breaking"
)

const (
	main = `{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": {
		"requestBody": {"content": {"application/json": {"schema": {"$ref": "SCHEMA"}}}},
		"responses": {"200": {"description": "ok"}}}}}}`
	schema  = `{"type": "object", "properties": {"id": {"type": "string"}}}`
	through = `{"$ref": "./deeper/inner.json"}`
	strict  = `{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}`
)

// folder writes files into a folder of its own and returns it.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	home := t.TempDir()
	for name, text := range files {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

func compareFiles(t *testing.T, base, document string) (*breaking.Report, error) {
	t.Helper()
	before, err := breaking.ReadBase(t.Context(), base, document)
	if err != nil {
		t.Fatal(err)
	}
	after, err := breaking.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	return breaking.Compare(t.Context(), before, after)
}

func TestDocumentInSeveralFiles(t *testing.T) {
	doc := strings.Replace(main, "SCHEMA", "schemas/outer.json", 1)
	files := map[string]string{"api.json": doc, "schemas/outer.json": through, "schemas/deeper/inner.json": schema}
	old := folder(t, files)
	files["schemas/deeper/inner.json"] = strict
	young := folder(t, files)
	report, err := compareFiles(t, filepath.Join(old, "api.json"), filepath.Join(young, "api.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !report.Breaks(breaking.OldNodes) || len(report.Changes) == 0 {
		t.Fatalf("a field that is required in another file breaks nobody: %+v", report)
	}
	first := report.Changes[0]
	if want := filepath.Join(young, "schemas/deeper/inner.json"); first.File != want || first.Line != 1 {
		t.Errorf("the change is at %s:%d, not %s:1", first.File, first.Line, want)
	}
}

func TestRevisionInSeveralFiles(t *testing.T) {
	doc := strings.Replace(main, "SCHEMA", "schemas/a.json", 1)
	home := folder(t, map[string]string{"openapi/api.json": doc, "openapi/schemas/a.json": schema})
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	for _, variable := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} {
		t.Setenv(variable, "") // which restores it
		os.Unsetenv(variable)
	}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "."},
		{"-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "commit", "--quiet", "--message", "a"},
	} {
		git := exec.CommandContext(t.Context(), "git", append([]string{"-C", home}, args...)...)
		if output, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, output)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "openapi/schemas/a.json"), []byte(strict), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := compareFiles(t, "HEAD", filepath.Join(home, "openapi/api.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !report.Breaks(breaking.OldNodes) {
		t.Errorf("a field that is required since the revision breaks nobody: %+v", report)
	}
}

// A document may come from anybody: it reads no files but those beside it, and nothing
// from the network.
func TestDocumentReadsNothingElse(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked = true
		_, _ = w.Write([]byte(schema))
	}))
	defer server.Close()
	outside := folder(t, map[string]string{"secret.json": schema})
	for name, reference := range map[string]string{
		"a URL":                      server.URL + "/schema.json",
		"a URL without a scheme":     "//" + strings.TrimPrefix(server.URL, "http://") + "/schema.json",
		"an absolute path":           outside + "/secret.json",
		"a URL of a file":            "file://" + outside + "/secret.json",
		"a path upwards":             "../api/schemas/../../up.json",
		"a symbolic link":            "link.json",
		"a folder by a link":         "linked/secret.json",
		"a file that is not there":   "missing.json",
		"a path with escapes in it":  "%2e%2e/up.json",
		"a path with backslashes":    `..\up.json`,
		"a device that has no end":   "/dev/zero",
		"the process's own settings": "/proc/self/environ",
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(main, "SCHEMA", strings.ReplaceAll(reference, `\`, `\\`), 1)
			home := folder(t, map[string]string{"api/api.json": text, "up.json": schema})
			for link, target := range map[string]string{"link.json": outside + "/secret.json", "linked": outside} {
				if err := os.Symlink(target, filepath.Join(home, "api", link)); err != nil {
					t.Fatal(err)
				}
			}
			document := filepath.Join(home, "api/api.json")
			if report, err := compareFiles(t, document, document); err == nil {
				t.Errorf("the document is read: %+v", report)
			}
		})
	}
	if asked {
		t.Error("the network was asked")
	}
}

// What is null in a document is an error, where it has to be an object.
func TestNullInDocument(t *testing.T) {
	for name, test := range map[string][3]string{
		"content type": {`{"schema": {}}`, "null", "#/paths/~1a/post/requestBody/content/application~1json is null"},
		"tag":          {`"paths"`, `"tags": [null], "paths"`, "#/tags/0 is null"},
		"content of a header": {
			`"paths"`, `"components": {"headers": {"X-A": {"content": {"text/plain": null}}}}, "paths"`,
			"#/components/headers/X-A/content/text~1plain is null",
		},
		"content of a header that is used": {
			`"ok"`, `"ok", "headers": {"X-A": {"content": {"text/plain": null}}}`,
			"#/paths/~1a/post/responses/200/headers/X-A/content/text~1plain is null",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(main, `{"$ref": "SCHEMA"}`, "{}", 1)
			document := breaking.Source{Name: "api.json", Data: []byte(strings.Replace(text, test[0], test[1], 1))}
			if _, err := breaking.Compare(t.Context(), document, document); err == nil ||
				!strings.Contains(err.Error(), test[2]) {
				t.Errorf("error %v, want one with %q", err, test[2])
			}
		})
	}
}

// A document is refused that hours would pass in comparing.
func TestDocumentThatUnfoldsTooFar(t *testing.T) {
	schemas := `"S0": {"type": "object"}`
	for i := range 24 {
		part := fmt.Sprintf(`{"$ref": "#/components/schemas/S%d"}`, i)
		schemas += fmt.Sprintf(`, "S%d": {"allOf": [%s, %s]}`, i+1, part, part)
	}
	text := strings.Replace(main, "SCHEMA", "#/components/schemas/S24", 1)
	text = strings.TrimSuffix(text, "}") + `, "components": {"schemas": {` + schemas + `}}}`
	document := breaking.Source{Name: "api.json", Data: []byte(text)}
	_, err := breaking.Compare(t.Context(), document, document)
	if want := " makes the document unfold to more than "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

// A schema that is a part of itself fits nothing, and would be followed for ever.
func TestCircularSchema(t *testing.T) {
	for name, schemas := range map[string]string{
		"allOf itself": `"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}`,
		"oneOf itself": `"A": {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/A"}]}`,
		"not itself":   `"A": {"not": {"$ref": "#/components/schemas/A"}}`,
		"through another": `"A": {"allOf": [{"$ref": "#/components/schemas/B"}]},
			"B": {"anyOf": [{"$ref": "#/components/schemas/A"}]}`,
		"inside a field of one": `"A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
			"B": {"allOf": [{"$ref": "#/components/schemas/B"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(main, "SCHEMA", "#/components/schemas/A", 1)
			text = strings.TrimSuffix(text, "}") + `, "components": {"schemas": {` + schemas + `}}}`
			document := breaking.Source{Name: "api.json", Data: []byte(text)}
			_, err := breaking.Compare(t.Context(), document, document)
			if err == nil || !strings.Contains(err.Error(), "is a part of itself") {
				t.Errorf("error %v", err)
			}
		})
	}
}
