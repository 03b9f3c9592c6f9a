package openapi_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/strength"
)

// TestStrength changes one thing about the generated code at a time, as a hand might that
// did not go to the document. Each has to be found, with its line.
func TestStrength(t *testing.T) {
	const house = ".."
	tally := strength.Of("the generated code, by the test that generates it anew")
	made := texts(t, house, generated(t, house))
	i := 0
	for _, file := range slices.Sorted(maps.Keys(made)) {
		committed := maps.Clone(made)
		edits := linesOf(made[file])
		if strings.HasSuffix(file, ".go") {
			edits = editsOf(t, made[file])
		}
		for _, e := range edits {
			if i++; !strength.Tries(i, 64) {
				continue
			}
			committed[file] = made[file][:e.from] + e.text + made[file][e.to:]
			found := stale(committed, made)
			if len(found) == 1 && strings.HasPrefix(found[0], fmt.Sprintf("%s:%d ", file, e.line)) {
				tally.Found()
			} else {
				tally.Missed(fmt.Sprintf("%s:%d", file, e.line))
			}
		}
	}
	tally.Require(t)
}

// edit puts another text between two offsets of a file.
type edit struct {
	from, to int
	text     string
	line     int
}

// linesOf leaves out each line of a file.
func linesOf(text string) []edit {
	var all []edit
	at := 0
	for i, line := range strings.SplitAfter(text, "\n") {
		if strings.TrimSpace(line) != "" {
			all = append(all, edit{at, at + len(line) - 1, "", i + 1})
		}
		at += len(line)
	}
	return all
}

// editsOf returns what a hand may do to a file: another literal, another operator,
// another name of a type or a function, and a statement or a field left out.
func editsOf(t *testing.T, text string) []edit {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var all []edit
	add := func(from, to token.Pos, text string) {
		at := set.Position(from)
		all = append(all, edit{at.Offset, set.Position(to).Offset, text, at.Line})
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			add(n.Pos()+1, n.End(), "9"+text[set.Position(n.Pos()).Offset+1:set.Position(n.End()).Offset])
		case *ast.BinaryExpr:
			add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), "<<")
		case *ast.Ident:
			add(n.Pos(), n.End(), "other")
		case *ast.BlockStmt:
			for _, statement := range n.List {
				add(statement.Pos(), statement.End(), "")
			}
		}
		return true
	})
	return all
}
