package house

import (
	"bytes"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const mock = module + "/mockserver"

// floors are the packages of the mock, from the top down. A package imports those of lower
// floors only, and no other of its own.
var floors = [][]string{
	{"mocktest"},
	{"."},
	{"internal/nodes", "internal/controls", "internal/pages"},
	{"internal/upstream"},
	{"internal/exchange", "internal/cluster"},
	{"journal", "faults", "internal/settings", "internal/recorded"},
	{"internal/spec"},
	{
		"internal/api", "internal/controlapi", "internal/wire", "internal/glob", "internal/masking", "registry",
		"clock", "drift",
		"dashboard",
	},
	{"control", "internal/bind", "har"},
}

// rooms are the packages that each of these imports, of the mock's.
var rooms = map[string][]string{
	".": {
		"internal/nodes", "internal/controls", "internal/pages", "internal/upstream", "internal/exchange",
		"internal/cluster", "internal/recorded",
		"internal/settings", "internal/spec", "registry", "journal", "faults", "drift", "clock", "control",
	},
	"internal/nodes": {
		"internal/upstream", "internal/exchange", "internal/cluster", "internal/settings", "internal/spec",
		"internal/wire", "internal/api",
		"registry", "journal", "faults", "drift", "clock", "control",
	},
	"internal/controls": {
		"internal/upstream", "internal/exchange", "internal/cluster", "internal/settings", "internal/spec",
		"internal/controlapi", "internal/glob", "har",
		"registry", "journal", "faults", "drift", "clock", "control",
	},
	"internal/pages": {"internal/exchange", "dashboard"},
	"internal/upstream": {
		"internal/exchange", "internal/cluster", "registry", "journal", "drift", "clock", "control",
	},
	"internal/exchange": {
		"internal/settings", "internal/spec", "internal/masking", "internal/wire", "internal/api", "drift", "control",
	},
	"internal/cluster":  {"registry", "journal", "clock"},
	"internal/recorded": {"internal/spec", "har", "registry", "control"},
	"internal/settings": {"internal/spec", "control", "registry"},
	"internal/spec":     {"internal/wire", "internal/bind", "drift", "control"},
	"internal/wire":     {},
	"internal/masking":  {},
	"journal":           {"internal/spec", "internal/masking", "internal/glob", "drift", "control"},
	"faults":            {"internal/spec", "internal/glob", "clock", "control"},
	"registry":          {},
	"clock":             {},
	"drift":             {},
}

// TestRooms compares the imports between the packages of the mock with the picture in
// docs/architecture.md.
func TestRooms(t *testing.T) {
	imports := mockImports(t)
	for name, want := range rooms {
		if got := imports[name]; !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("mockserver/%s imports %v, want %v", name, got, want)
		}
	}
	for name, imported := range imports {
		at := floorOf(name)
		if at < 0 {
			t.Errorf("mockserver/%s has no floor", name)
		}
		for _, other := range imported {
			if floorOf(other) <= at {
				t.Errorf("mockserver/%s imports mockserver/%s, which is not below it", name, other)
			}
		}
	}
}

func floorOf(name string) int {
	return slices.IndexFunc(floors, func(floor []string) bool { return slices.Contains(floor, name) })
}

// mockImports returns which packages of the mock each of them imports, tests apart.
func mockImports(t *testing.T) map[string][]string {
	t.Helper()
	top, imports := filepath.Join(root, "mockserver"), map[string]map[string]bool{}
	err := filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, filepath.Dir(path))
		if imports[name] == nil {
			imports[name] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if below, is := strings.CutPrefix(imported, mock); is {
				if below = strings.TrimPrefix(below, "/"); below == "" {
					below = "."
				}
				imports[name][below] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(imports) < len(rooms) {
		t.Fatalf("the mock has %d packages, want %d or more", len(imports), len(rooms))
	}
	sorted := map[string][]string{}
	for name, set := range imports {
		sorted[name] = slices.Sorted(maps.Keys(set))
	}
	return sorted
}

// TestFace holds the root of the mock to the size of a face: what it does is in its rooms.
func TestFace(t *testing.T) {
	const mostFiles, mostLines, mostMethods = 8, 700, 16
	files, err := filepath.Glob(filepath.Join(root, "mockserver", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	lines, methods := 0, 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
		methods += len(methodsOfServer.FindAll(text, -1))
	}
	if len(files) == 0 || len(files) > mostFiles || lines > mostLines {
		t.Errorf("mockserver/ has %d files of %d lines, want at most %d files and %d lines", len(files), lines,
			mostFiles, mostLines)
	}
	if methods == 0 || methods > mostMethods {
		t.Errorf("Server has %d methods, want at most %d", methods, mostMethods)
	}
}

var methodsOfServer = regexp.MustCompile(`(?m)^func \(\w+ \*?Server\) `)
