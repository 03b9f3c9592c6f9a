package openapi_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
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
			if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is committed is what `go generate` makes of the documents: it runs in a
// copy of what it reads, and the copy is compared with the repository.
func TestGeneratedCodeIsFresh(t *testing.T) {
	const house = ".."
	fresh := t.TempDir()
	if err := os.CopyFS(filepath.Join(fresh, "openapi"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		if err := os.WriteFile(filepath.Join(fresh, file), read(t, filepath.Join(house, file)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed := generated(t, house)
	for _, file := range committed {
		if err := os.MkdirAll(filepath.Join(fresh, filepath.Dir(file)), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	generate := exec.CommandContext(t.Context(), "go", "generate", "./openapi")
	generate.Dir = fresh
	if output, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("go generate: %v\n%s", err, output)
	}

	made := generated(t, fresh)
	if len(made) == 0 {
		t.Error("go generate made nothing")
	}
	for _, file := range made {
		want := read(t, filepath.Join(fresh, file))
		if !slices.Contains(committed, file) || !bytes.Equal(read(t, filepath.Join(house, file)), want) {
			t.Errorf("%s is stale; run: go generate ./...", file)
		}
	}
	for _, file := range committed {
		if !slices.Contains(made, file) {
			t.Errorf("%s is made by no go:generate line; delete it", file)
		}
	}
}

// generated returns the paths of the generated files under root.
func generated(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".gen.go") || strings.HasSuffix(path, ".gen.yaml") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".gen.go") {
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
