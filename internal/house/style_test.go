package house

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/doc/comment"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	// maxColumns is how wide a line may be. A tab counts as four columns.
	maxColumns = 120
	// maxFunction is how many lines a function may have, tests apart: their tables are long.
	maxFunction = 40
	// maxFile is how many lines a file may have. One with more has several subjects.
	maxFile = 400
)

// checksum is a SHA-512 in hex, which no line break can cut.
var checksum = regexp.MustCompile(`\b[0-9a-f]{128}\b`)

// TestLinesFit holds code to its width. The lines of a text inside a raw string are as long as
// the text has them, and so is a checksum.
func TestLinesFit(t *testing.T) {
	for _, file := range sources(t, ".go", ".js", ".mjs", ".ts", ".css", ".html", ".tmpl", ".sh") {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		texts := map[int]bool{}
		if filepath.Ext(file) == ".go" {
			texts = textLines(text)
		}
		for i, line := range strings.Split(string(text), "\n") {
			columns := len([]rune(line)) + 3*strings.Count(line, "\t")
			if columns > maxColumns && !texts[i+1] && !checksum.MatchString(line) {
				t.Errorf("%s:%d has %d columns, want at most %d", file, i+1, columns, maxColumns)
			}
		}
	}
}

// textLines returns the lines of Go code that raw strings of several lines cover.
func textLines(code []byte) map[int]bool {
	lines := map[int]bool{}
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(code))
	var tokens scanner.Scanner
	tokens.Init(file, code, nil, 0)
	for {
		at, kind, text := tokens.Scan()
		if kind == token.EOF {
			return lines
		}
		if first := file.Line(at); kind == token.STRING && strings.Contains(text, "\n") {
			for i := range strings.Count(text, "\n") + 1 {
				lines[first+i] = true
			}
		}
	}
}

// TestFilesHaveOneSubject holds files to their length, as far as a number can.
func TestFilesHaveOneSubject(t *testing.T) {
	for _, file := range sources(t, ".go") {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > maxFile {
			t.Errorf("%s has %d lines, want at most %d: split it by subject", file, lines, maxFile)
		}
	}
}

// TestFunctionsFitOnAScreen holds functions to their length.
func TestFunctionsFitOnAScreen(t *testing.T) {
	for _, file := range sources(t, ".go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		code, err := parser.ParseFile(files, filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range code.Decls {
			f, is := declared.(*ast.FuncDecl)
			if !is {
				continue
			}
			if lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; lines > maxFunction {
				t.Errorf("%s: %s has %d lines, want at most %d", file, f.Name.Name, lines, maxFunction)
			}
		}
	}
}

// scriptFunction is the first line of a function of a script, with its indentation.
var scriptFunction = regexp.MustCompile(`^( *)(?:export )?(?:(?:async )?function\b|` +
	`(?:const|let) \w+ = .*=> \{$|(?:static |async |get |set )*#?\w+\(.*\) \{$).*[{(]$`)

// TestFunctionsOfScriptsFitOnAScreen holds those of the pages to the same length. A function ends
// where a line with its indentation has a brace.
func TestFunctionsOfScriptsFitOnAScreen(t *testing.T) {
	checked := 0
	for _, file := range sources(t, ".js", ".mjs") {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			first := scriptFunction.FindStringSubmatch(line)
			if first == nil {
				continue
			}
			checked++
			end := slices.IndexFunc(lines[i:], func(line string) bool { return strings.HasPrefix(line, first[1]+"}") })
			if length := end + 1; end < 0 || length > maxFunction {
				t.Errorf("%s:%d: a function has %d lines, want at most %d", file, i+1, length, maxFunction)
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d functions are all that were found", checked)
	}
}

// maxWords is how long a sentence of a comment may be, tests apart.
const maxWords = 25

var sentenceEnd = regexp.MustCompile(`[.!?:;]["')]*\s`)

// TestSentencesAreShort holds comments to short sentences. A colon and a semicolon end one, too.
func TestSentencesAreShort(t *testing.T) {
	checked := 0
	for _, file := range sources(t, ".go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		code, err := parser.ParseFile(files, filepath.Join(root, file), nil,
			parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range code.Comments {
			if strings.HasPrefix(group.List[0].Text, "/*") {
				continue // of a C header
			}
			for _, paragraph := range paragraphs(new(comment.Parser).Parse(group.Text()).Content) {
				for _, sentence := range sentenceEnd.Split(paragraph, -1) {
					checked++
					if words := len(strings.Fields(sentence)); words > maxWords {
						t.Errorf("%s: a sentence has %d words, want at most %d: %s", files.Position(group.Pos()), words,
							maxWords, sentence)
					}
				}
			}
		}
	}
	if checked < 1000 {
		t.Errorf("%d sentences are all that were found", checked)
	}
}

// paragraphs returns the text of the paragraphs of a comment, those of lists included.
func paragraphs(blocks []comment.Block) (texts []string) {
	for _, block := range blocks {
		switch block := block.(type) {
		case *comment.Paragraph:
			var text strings.Builder
			for _, part := range block.Text {
				switch part := part.(type) {
				case comment.Plain:
					text.WriteString(string(part))
				case comment.Italic:
					text.WriteString(string(part))
				case *comment.Link, *comment.DocLink:
					text.WriteString("link")
				}
			}
			texts = append(texts, text.String())
		case *comment.List:
			for _, item := range block.Items {
				texts = append(texts, paragraphs(item.Content)...)
			}
		}
	}
	return texts
}

// sources returns the files with one of the extensions that people have written.
func sources(t *testing.T, extensions ...string) (files []string) {
	t.Helper()
	foreign := []string{".git", ".pact", "bin", "node_modules"}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (slices.Contains(foreign, entry.Name()) || isBuilt(path)):
			return filepath.SkipDir
		case slices.Contains(extensions, filepath.Ext(path)) && !strings.Contains(filepath.Base(path), ".gen."):
			name, err := filepath.Rel(root, path)
			files = append(files, name)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("%v are all files with %v", files, extensions)
	}
	return files
}

// isBuilt reports whether a folder has generated code that is not committed.
func isBuilt(folder string) bool {
	return filepath.Base(folder) == "api" && filepath.Base(filepath.Dir(filepath.Dir(folder))) == "bench"
}

// TestWhiteBoxTestsAreNamedSo: tests that reach into their package are in files that end in
// _internal_test.go, all others in a package of their own.
func TestWhiteBoxTestsAreNamedSo(t *testing.T) {
	for _, file := range sources(t, ".go") {
		name, isTest := strings.CutSuffix(filepath.Base(file), "_test.go")
		if !isTest || name == "export" {
			continue
		}
		code, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		inside := !strings.HasSuffix(code.Name.Name, "_test")
		if named := strings.HasSuffix(name, "_internal"); inside != named && !isProgram(t, filepath.Dir(file)) {
			t.Errorf("%s is of package %s, and not named after its kind", file, code.Name.Name)
		}
	}
}

// isProgram reports whether a folder has a program, or nothing but tests. Such tests have no
// package to be outside of.
func isProgram(t *testing.T, folder string) bool {
	t.Helper()
	pkg, err := build.ImportDir(filepath.Join(root, folder), 0)
	return err != nil || pkg.IsCommand() || len(pkg.GoFiles) == 0
}
