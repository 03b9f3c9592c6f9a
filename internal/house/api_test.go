package house

import (
	"flag"
	"go/ast"
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateAPI = flag.Bool("update-api", false, "write the list of the public API")

// listed is the public API of the version that is released next.
const listed = "api/0.1.0.txt"

// TestThePublicAPIIsAsListed, so that no exported name changes, goes or comes by accident.
func TestThePublicAPIIsAsListed(t *testing.T) {
	lines := publicAPI(t)
	name := filepath.Join(root, listed)
	if *updateAPI {
		if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range before {
		if !slices.Contains(lines, line) {
			t.Errorf("gone, which breaks programs: %s", line)
		}
	}
	for _, line := range lines {
		if !slices.Contains(before, line) {
			t.Errorf("new: %s", line)
		}
	}
	if t.Failed() {
		t.Logf("if that is meant, say so in CHANGELOG.md and write %s anew: "+
			"go test ./internal/house -run PublicAPI -update-api", listed)
	}
}

// publicAPI returns a sorted line for each exported name of the packages that other modules may
// import.
func publicAPI(t *testing.T) (lines []string) {
	t.Helper()
	on := build.Default
	on.GOOS, on.GOARCH, on.CgoEnabled, on.BuildTags = "linux", "amd64", true, []string{"pact"}
	for _, dir := range publicFolders(t) {
		pkg, err := on.ImportDir(filepath.Join(root, dir), 0)
		if _, none := err.(*build.NoGoError); none || err == nil && pkg.IsCommand() {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Concat(pkg.GoFiles, pkg.CgoFiles) {
			code := filepath.Join(pkg.Dir, name)
			file, err := parser.ParseFile(token.NewFileSet(), code, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range exported(file) {
				lines = append(lines, dir+": "+line)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// publicFolders returns the folders with Go files that other modules can import.
func publicFolders(t *testing.T) (folders []string) {
	t.Helper()
	for _, file := range sources(t, ".go") {
		dir := filepath.ToSlash(filepath.Dir(file))
		apart := strings.HasPrefix(dir, "bench") || slices.Contains(strings.Split(dir, "/"), "internal")
		if !apart && !slices.Contains(folders, dir) {
			folders = append(folders, dir)
		}
	}
	return folders
}

// exported returns a line for each exported name of a file.
func exported(file *ast.File) (lines []string) {
	ast.FileExports(file)
	for _, declared := range file.Decls {
		switch declared := declared.(type) {
		case *ast.FuncDecl:
			if line := function(declared); line != "" {
				lines = append(lines, line)
			}
		case *ast.GenDecl:
			for _, spec := range declared.Specs {
				lines = append(lines, specification(declared.Tok, spec)...)
			}
		}
	}
	return lines
}

// function returns the line for a function or method, and "" for a method of a type that is not
// exported.
func function(f *ast.FuncDecl) string {
	signature := strings.TrimPrefix(oneLine(nameless(f.Type)), "func")
	if f.Recv == nil {
		return "func " + f.Name.Name + signature
	}
	receiver := oneLine(f.Recv.List[0].Type)
	if name, _, _ := strings.Cut(strings.TrimPrefix(receiver, "*"), "["); !ast.IsExported(name) {
		return ""
	}
	return "method (" + receiver + ") " + f.Name.Name + signature
}

// specification returns the lines for constants, variables or a type with its fields and methods.
func specification(keyword token.Token, spec ast.Spec) (lines []string) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		return []string{keyword.String() + " " + oneLine(spec)}
	case *ast.TypeSpec:
		head := "type " + spec.Name.Name
		if spec.Assign.IsValid() {
			return []string{head + " = " + oneLine(spec.Type)}
		}
		switch what := spec.Type.(type) {
		case *ast.StructType:
			return append(members(head+" struct", what.Fields), head+" struct")
		case *ast.InterfaceType:
			return append(members(head+" interface", what.Methods), head+" interface")
		default:
			return []string{head + " " + oneLine(nameless(what))}
		}
	}
	return nil
}

// members returns a line for each field of a struct, or method of an interface.
func members(head string, fields *ast.FieldList) (lines []string) {
	for _, field := range fields.List {
		what := oneLine(nameless(field.Type))
		if field.Tag != nil {
			what += " " + field.Tag.Value
		}
		if len(field.Names) == 0 {
			lines = append(lines, head+", embedded "+what)
		}
		for _, name := range field.Names {
			lines = append(lines, head+", "+name.Name+" "+what)
		}
	}
	return lines
}

// nameless removes the names of parameters and results from a type, which callers do not see.
func nameless[Node ast.Node](node Node) Node {
	ast.Inspect(node, func(inner ast.Node) bool {
		if f, is := inner.(*ast.FuncType); is {
			for _, list := range []*ast.FieldList{f.Params, f.Results} {
				dropNames(list)
			}
		}
		return true
	})
	return node
}

// dropNames makes of fields with names as many without.
func dropNames(list *ast.FieldList) {
	if list == nil {
		return
	}
	var fields []*ast.Field
	for _, field := range list.List {
		for range max(len(field.Names), 1) {
			fields = append(fields, &ast.Field{Type: field.Type})
		}
	}
	list.List = fields
}

// oneLine returns the code of a node on one line.
func oneLine(node ast.Node) string {
	var text strings.Builder
	if err := format.Node(&text, token.NewFileSet(), node); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
