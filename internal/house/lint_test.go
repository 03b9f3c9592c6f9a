package house

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLintRunsWhatTestSkips, so that no test is left by each of the two to the other.
func TestLintRunsWhatTestSkips(t *testing.T) {
	script := readText(t, filepath.Join(root, "scripts/test.sh"))
	makefile := strings.ReplaceAll(readText(t, filepath.Join(root, "Makefile")), "$$", "$")
	_, lint, _ := strings.Cut(makefile, "\nlint:")
	lint, _, _ = strings.Cut(lint, "\n\n")
	for _, want := range []struct{ where, text string }{
		{script, "-skip '_lint$'"},
		{lint, "-run '_lint$'"},
		{lint, "'^func Test.*_lint('"},
	} {
		if !strings.Contains(want.where, want.text) {
			t.Errorf("make test and make lint do not share the tests any more: %s is missing", want.text)
		}
	}
	// make test does not even compile these.
	tests := regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+|Example\w*)`)
	for _, file := range sources(t, ".go") {
		if filepath.Dir(file) != "internal/manifests" {
			continue
		}
		for _, test := range tests.FindAllStringSubmatch(readText(t, filepath.Join(root, file)), -1) {
			if !strings.HasSuffix(test[1], "_lint") {
				t.Errorf("nobody runs %s: its name does not end in _lint", test[1])
			}
		}
	}
}
