// Package typescript_test checks that a program in TypeScript can be built on the
// OpenAPI document: the types made of it accept its examples, and a node made of them
// works.
package typescript_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/openapi"
)

var compile = flag.Bool("compile", false, "compile TypeScript, with the packages that npm ci installs")

// A workshop is a directory in which TypeScript is compiled.
type workshop string

// newWorkshop returns a directory that holds the types made of the document.
func newWorkshop(t *testing.T) workshop {
	t.Helper()
	if !*compile {
		t.Skip("`make check` compiles TypeScript")
	}
	modules, err := filepath.Abs("../../node_modules")
	if err != nil {
		t.Fatal(err)
	}
	w := workshop(t.TempDir())
	if err := os.Symlink(modules, filepath.Join(string(w), "node_modules")); err != nil {
		t.Fatal(err)
	}
	w.write(t, "nodes.yaml", openapi.Nodes)
	w.write(t, "package.json", []byte(`{"type": "module"}`))
	if output, err := w.run(t, "node_modules/openapi-typescript/bin/cli.js", "nodes.yaml", "--output",
		"nodes.ts"); err != nil {
		t.Fatalf("openapi-typescript: %v\n%s", err, output)
	}
	return w
}

func (w workshop) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(string(w), name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w workshop) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", args...)
	command.Dir = string(w)
	output, err := command.CombinedOutput()
	return string(output), err
}

// compile compiles a file as strictly as the compiler can, and returns what is wrong.
func (w workshop) compile(t *testing.T, file string) (string, error) {
	t.Helper()
	return w.run(t, "node_modules/typescript/bin/tsc", "--strict", "--exactOptionalPropertyTypes",
		"--skipLibCheck", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler",
		"--lib", "es2022,dom", "--typeRoots", "none", file)
}

// example is an example of the document, and the TypeScript type that it has to be of.
type example struct {
	of    string
	value any
}

func (e example) statement(t *testing.T, name string) string {
	t.Helper()
	value, err := json.Marshal(e.value)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("export const %s: %s = %s;\n", name, e.of, value)
}

// examples returns the examples of schemas, requests and answers, by a name for each.
func examples(t *testing.T) map[string]example {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]example{}
	for name, schema := range document.Components.Schemas {
		found["schema_"+name] = example{fmt.Sprintf("components[%q][%q]", "schemas", name), schema.Value.Example}
	}
	for _, path := range document.Paths.Map() {
		for _, operation := range path.Operations() {
			of := fmt.Sprintf("operations[%q]", operation.OperationID)
			if body := operation.RequestBody; body != nil {
				addContent(found, operation.OperationID+"_request", of+`["requestBody"]`, body.Value.Content)
			}
			for status, response := range operation.Responses.Map() {
				addContent(found, operation.OperationID+"_"+status, of+`["responses"][`+status+"]",
					response.Value.Content)
			}
		}
	}
	return found
}

func addContent(found map[string]example, name, of string, content openapi3.Content) {
	for mediaType, media := range content {
		found[name] = example{fmt.Sprintf("%s[%q][%q]", of, "content", mediaType), media.Example}
	}
}

func TestTypeScript(t *testing.T) {
	w := newWorkshop(t)
	t.Run("examples compile", w.testExamples)
	t.Run("broken examples do not compile", w.testBrokenExamples)
	t.Run("a node works", w.testNode)
}

func (w workshop) testExamples(t *testing.T) {
	all := examples(t)
	text := "import type { components, operations } from \"./nodes\";\n"
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text += all[name].statement(t, name)
	}
	w.write(t, "examples.ts", []byte(text))
	if output, err := w.compile(t, "examples.ts"); err != nil {
		t.Errorf("the types do not accept the examples of the document: %v\n%s", err, output)
	}
}

// The types are no wider than the document: what breaks it does not compile.
func (w workshop) testBrokenExamples(t *testing.T) {
	for _, field := range []string{"node_id", "capabilities"} {
		register := examples(t)["schema_RegisterRequest"]
		delete(register.value.(map[string]any), field)
		w.write(
			t, "broken.ts", []byte("import type { components } from \"./nodes\";\n"+register.statement(t, "broken")))
		if output, err := w.compile(t, "broken.ts"); err == nil || !strings.Contains(output, field) {
			t.Errorf("a registration without %s: the compiler's error is %v\n%s", field, err, output)
		}
	}
}

func (w workshop) testNode(t *testing.T) {
	source, err := os.ReadFile("node.ts")
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "node.ts", source)
	if output, err := w.compile(t, "node.ts"); err != nil {
		t.Fatalf("the node does not compile: %v\n%s", err, output)
	}
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	output, err := w.run(t, "node.js", orchestratord.URL, "secret")
	if err != nil {
		t.Fatalf("the node fails: %v\n%s", err, output)
	}
	if want := "typescript-node Online, next heartbeat in 10000 ms\n"; output != want {
		t.Errorf("the node prints %q, not %q", output, want)
	}
	if left := orchestratord.Nodes(); len(left) > 0 {
		t.Errorf("the node is still registered: %v", left)
	}
	output, err = w.run(t, "node.js", orchestratord.URL, "another token")
	if err == nil || !strings.Contains(output, "401 unauthorized") {
		t.Errorf("with a token that is not valid the node ends with %v:\n%s", err, output)
	}
}
