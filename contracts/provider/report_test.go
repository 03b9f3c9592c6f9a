//go:build pact

package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/provider"
)

// Programs go through the lists of the file without a look at whether they are there.
func TestEmptyListsOfResults(t *testing.T) {
	report := provider.Report{Interactions: []provider.Interaction{{Description: "of any state"}}}
	file := filepath.Join(t.TempDir(), "results.json")
	if err := report.Results().Write(file); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "null") {
		t.Errorf("a list is null: %v\n%s", err, text)
	}
}
