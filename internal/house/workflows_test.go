package house

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestActionsArePinned holds the workflows, and those that the docs offer to copy, to name
// each action by its commit: a tag can be moved, and the jobs have tokens.
func TestActionsArePinned(t *testing.T) {
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses: *(\S+)`)
	pinned := regexp.MustCompile(`^([\w.-]+(/[\w.-]+)+@[0-9a-f]{40}|llama-orch/node-registration@v0)$`)
	for _, pattern := range []string{"../../.github/workflows/*.yml", "../../action.yml", "../../docs/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, action := range uses.FindAllSubmatch(text, -1) {
				if found++; !pinned.Match(action[1]) {
					t.Errorf("%s uses %s, which names no commit", file, action[1])
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: there are no actions", pattern)
		}
	}
}
