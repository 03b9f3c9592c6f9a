package openapi_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Every document is valid OpenAPI, and every example in it keeps the schema that
// it illustrates.
func TestDocumentsAreValid(t *testing.T) {
	documents, err := filepath.Glob("*.yaml")
	if err != nil || len(documents) == 0 {
		t.Fatalf("found no documents: %v", err)
	}
	for _, document := range documents {
		if strings.HasSuffix(document, ".overlay.yaml") {
			continue // what it makes is a document, and among them
		}
		t.Run(document, func(t *testing.T) {
			loader := openapi3.NewLoader()
			loader.IsExternalRefsAllowed = true // from one document to another
			doc, err := loader.LoadFromFile(document)
			if err != nil {
				t.Fatal(err)
			}
			if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(),
				openapi3.EnableSchemaFormatValidation()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is committed is what `go generate` makes of the documents: it runs in a
// copy of what it reads, and the copy is compared with the repository.
func TestGeneratedCodeIsFresh_lint(t *testing.T) {
	const house = ".."
	fresh := t.TempDir()
	if err := os.CopyFS(filepath.Join(fresh, "openapi"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	committed := generated(t, house)
	for _, file := range committed {
		if err := os.MkdirAll(filepath.Join(fresh, filepath.Dir(file)), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	generate(t, filepath.Join(fresh, "openapi"), filepath.Join(house, "go.work"))

	made := generated(t, fresh)
	if len(made) == 0 {
		t.Error("go generate made nothing")
	}
	for _, what := range stale(texts(t, house, committed), texts(t, fresh, made)) {
		t.Error(what)
	}
}

// generate runs go generate in a copy of the documents. The generators are those of the
// repository, and not of the copy: what other tests have compiled of them is in the cache.
func generate(t *testing.T, documents, work string) {
	t.Helper()
	work, err := filepath.Abs(work)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "generate", "openapi.go")
	command.Dir = documents
	command.Env = append(command.Environ(), "GOWORK="+work)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, output)
	}
}

// stale says which committed files are not what was made anew, each with its first line
// that is not.
func stale(committed, made map[string]string) []string {
	var found []string
	for _, file := range slices.Sorted(maps.Keys(made)) {
		have, want := strings.Split(committed[file], "\n"), strings.Split(made[file], "\n")
		for i := range max(len(have), len(want)) {
			if i >= len(have) || i >= len(want) || have[i] != want[i] {
				found = append(found, fmt.Sprintf("%s:%d is stale; run: go generate ./...", file, i+1))
				break
			}
		}
	}
	for _, file := range slices.Sorted(maps.Keys(committed)) {
		if _, isMade := made[file]; !isMade {
			found = append(found, file+" is made by no go:generate line; delete it")
		}
	}
	return found
}

// texts reads files under root.
func texts(t *testing.T, root string, files []string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, file := range files {
		found[file] = string(read(t, filepath.Join(root, file)))
	}
	return found
}

// generatedName matches the names of files that go generate makes. npm makes *.gen.d.ts.
var generatedName = regexp.MustCompile(`\.gen\.(go|yaml|js)$`)

// generated returns the paths of the generated files under root.
func generated(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == ".git" || name == "node_modules") {
			return filepath.SkipDir
		}
		if generatedName.MatchString(path) {
			file, err := filepath.Rel(root, path)
			files = append(files, file)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
