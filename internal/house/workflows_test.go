package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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

// TestScriptsOfTheActionHaveNoExpressions looks at each step of the action: a shell would run what a
// caller puts into an expression.
func TestScriptsOfTheActionHaveNoExpressions(t *testing.T) {
	var action struct {
		Runs struct {
			Steps []struct{ Run string }
		}
	}
	if err := yaml.Unmarshal([]byte(readText(t, filepath.Join(root, "action.yml"))), &action); err != nil {
		t.Fatal(err)
	}
	if len(action.Runs.Steps) == 0 {
		t.Fatal("the action has no steps")
	}
	for _, step := range action.Runs.Steps {
		if strings.Contains(step.Run, "${{") {
			t.Errorf("an expression is part of a script: %s", step.Run)
		}
	}
}
