// Package house tests the rules that the code of this repository is built by, such as which
// package may import which.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

const (
	root   = "../.."
	module = "github.com/llama-orch/node-registration"
	purego = "github.com/ebitengine/purego"
)

// A program that imports the client pays for no server, OpenAPI library or
// command line, and client and mock do not share their mistakes. Tests may import
// what they like.
func TestImportsRunOneWay(t *testing.T) {
	for _, rule := range []struct {
		packages string
		never    []string
	}{
		{"./pkg/...", []string{
			"github.com/getkin/kin-openapi",
			"github.com/go-chi/chi",
			"github.com/pact-foundation/pact-go",
			"github.com/spf13/cobra",
			module + "/cmd",
			module + "/contracts",
			module + "/mockserver",
			module + "/openapi",
		}},
		{"./pkg/capabilities", []string{module + "/mockserver", module + "/openapi"}},
		{"./pkg/nodeapi", []string{module}},
		{"./pkg/registration", []string{purego, module + "/internal/hardware", module + "/pkg/capabilities"}},
		{"./cmd/...", []string{purego}}, // with which a program is no static one
		{"./mockserver/...", []string{module + "/cmd", module + "/contracts", module + "/pkg/registration"}},
	} {
		t.Run(rule.packages, func(t *testing.T) {
			list := exec.CommandContext(t.Context(), "go", "list", "-deps",
				"-f", `{{range .Imports}}{{$.ImportPath}} {{.}}{{"\n"}}{{end}}`, rule.packages)
			list.Dir, list.Stderr = root, t.Output()
			imports, err := list.Output()
			if err != nil {
				t.Fatalf("go list: %v", err)
			}
			for line := range strings.Lines(string(imports)) {
				importer, imported, _ := strings.Cut(strings.TrimSpace(line), " ")
				for _, path := range rule.never {
					if imported == path || strings.HasPrefix(imported, path+"/") {
						t.Errorf("%s imports %s", importer, imported)
					}
				}
			}
		})
	}
}

// Hand-written code reaches the protocols through what is generated from their
// documents, so that no change of a document passes it by: it spells no path of theirs,
// and no JSON field of the node API. A field whose name is a plain word, as "status",
// looks like that word, and goes unchecked.
func TestOnlyTheDocumentSpellsTheProtocol(t *testing.T) {
	nodes, control := load(t, "nodes.yaml"), load(t, "mock-control.yaml")
	speller := speller{fields: map[string]bool{}}
	speller.learnPaths(nodes)
	speller.learnFields(nodes)
	speller.learnPaths(control) // whose fields are what logs and files name things by, too
	if len(speller.paths) == 0 || len(speller.fields) == 0 {
		t.Fatal("the document has no paths or no fields")
	}
	files := token.NewFileSet()
	checked := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "node_modules", "openapi"}, entry.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || ast.IsGenerated(file) {
			return err
		}
		checked++
		ast.Inspect(file, func(node ast.Node) bool {
			if speller.spells(node) {
				t.Errorf("%s spells the protocol: say it through pkg/nodeapi", files.Position(node.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked == 0 {
		t.Error("there was no file to check")
	}
}

func load(t *testing.T, document string) *openapi3.T {
	t.Helper()
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true // from one document to another
	doc, err := loader.LoadFromFile(filepath.Join(root, "openapi", document))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// speller knows how a protocol is spelled.
type speller struct {
	paths  []string        // each up to its first parameter
	fields map[string]bool // the JSON fields, but those named by a plain word
}

// learnPaths adds the paths of a document, each up to its first parameter.
func (s *speller) learnPaths(doc *openapi3.T) {
	for path := range doc.Paths.Map() {
		start, _, _ := strings.Cut(path, "{")
		s.paths = append(s.paths, strings.TrimSuffix(start, "/"))
	}
}

// learnFields adds the JSON fields of a document, but those named by a plain word.
func (s *speller) learnFields(doc *openapi3.T) {
	for _, schema := range doc.Components.Schemas {
		for name := range schema.Value.Properties {
			if strings.Contains(name, "_") {
				s.fields[name] = true
			}
		}
	}
}

// spells reports whether a node of a Go file is a string that holds a path or
// names a field, or a struct tag that does.
func (s speller) spells(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.Field:
		name, _, _ := strings.Cut(reflect.StructTag(text(node.Tag)).Get("json"), ",")
		return s.fields[name]
	case *ast.BasicLit:
		value := text(node)
		if slices.ContainsFunc(s.paths, func(path string) bool { return strings.Contains(value, path) }) {
			return true
		}
		for name := range s.fields {
			if value == name && !isLogKey(name) || strings.Contains(value, strconv.Quote(name)+":") {
				return true
			}
		}
	}
	return false
}

// isLogKey reports whether a field's name is also the key under which log lines
// and metrics must name the node (CLOUD-7020).
func isLogKey(name string) bool {
	return name == "node_id" || name == "machine_id"
}

// text returns the value of a string literal, and "" for any other or none.
func text(literal *ast.BasicLit) string {
	if literal == nil || literal.Kind != token.STRING {
		return ""
	}
	value, _ := strconv.Unquote(literal.Value)
	return value
}
