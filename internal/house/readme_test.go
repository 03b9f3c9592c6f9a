package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// around is what the README's node leaves out.
const around = `package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	"` + module + `/pkg/registration"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
%s}
`

var firstGo = regexp.MustCompile("(?s)\n## A node in twenty lines\n.*?\n```go\n(.*?)```\n")

// TestTheNodeOfTheReadmeCompiles_lint, so that whoever copies it has a program.
func TestTheNodeOfTheReadmeCompiles_lint(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	node := firstGo.FindSubmatch(readme)
	if node == nil {
		t.Fatal("the README has no node any more")
	}
	program := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(program, fmt.Appendf(nil, around, node[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	vet := exec.CommandContext(t.Context(), "go", "vet", program)
	vet.Dir = root
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

var program = regexp.MustCompile("(?s)\n```go\n(package main\n.*?)```\n")

// TestProgramsOfTheDocumentationCompile_lint vets each whole program in a page.
func TestProgramsOfTheDocumentationCompile_lint(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, source := range program.FindAllSubmatch(text, -1) {
			found++
			file := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(file, source[1], 0o600); err != nil {
				t.Fatal(err)
			}
			vet := exec.CommandContext(t.Context(), "go", "vet", file)
			vet.Dir = root
			if out, err := vet.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", page, err, out)
			}
		}
	}
	if found == 0 {
		t.Error("the documentation has no program any more")
	}
}
