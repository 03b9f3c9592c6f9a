package usage

import (
	"slices"
	"strings"
	"testing"
)

// directives of cobra's completion scripts.
const (
	files, nothing, extension, directories = ":0", ":4", ":8", ":16"
)

// TestCompletion asks the programs what a shell would ask when its user presses the tab key.
func TestCompletion(t *testing.T) {
	for typed, want := range map[string]struct {
		choices   string // some of them
		directive string
	}{
		"mock-orchestratord --":               {"--addr --dialect", nothing},
		"nodesim run --":                      {"--token --orchestratord-url", nothing},
		"nodecontract conform --":             {"--provider-url", nothing}, // which is required
		"nodecontract diff --base a --":       {"--accept", nothing},
		"mock-orchestratord --dialect ":       {"document in-service", nothing},
		"mock-orchestratord --validation ":    {"strict report off", nothing},
		"mock-orchestratord --fault ":         {"amnesia flaky outage", nothing},
		"mock-orchestratord --log-level ":     {"debug info warn error", nothing},
		"mock-orchestratord --faults-file ":   {"", files},
		"mock-orchestratord --tls-dir ":       {"", directories},
		"mock-orchestratord --node-timeout ":  {"", nothing},
		"mock-orchestratord ":                 {"", nothing},
		"nodesim ":                            {"fleet merge run", nothing},
		"nodesim run --token-file ":           {"", files},
		"nodesim run --orchestratord-url ":    {"", nothing},
		"nodesim fleet --report ":             {"text json", nothing},
		"nodesim merge ":                      {"json", extension},
		"nodecontract conform --level ":       {"nodes document", nothing},
		"nodecontract conform --only ":        {"state tokens pace", nothing},
		"nodecontract diff --fail-on ":        {"old-nodes new-nodes any all none", nothing},
		"nodecontract diff --base ":           {"", files},
		"nodecontract check --pact ":          {"", files},
		"nodecontract check --report ":        {"text json markdown github junit", nothing},
		"nodecontract overlay ":               {"yaml", extension},
		"nodecontract conform --report junit": {"junit", nothing},
	} {
		t.Run(typed, func(t *testing.T) {
			words := strings.Split(typed, " ")
			got := start(t, nil, words[0], append([]string{"__complete"}, words[1:]...)...)
			offered := strings.Fields(got.stdout)
			for choice := range strings.FieldsSeq(want.choices) {
				if !slices.Contains(offered, choice) {
					t.Errorf("%s is not among %q", choice, offered)
				}
			}
			if strings.Contains(got.stdout, "`") {
				t.Errorf("the descriptions have marks that are for the help alone:\n%s", got.stdout)
			}
			if got.status != 0 || !slices.Contains(offered, want.directive) {
				t.Errorf("status %d, offered %q, want %s", got.status, offered, want.directive)
			}
		})
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, program := range []string{"mock-orchestratord", "nodesim", "nodecontract"} {
		for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
			if got := start(t, nil, program, "completion", shell); got.status != 0 ||
				!strings.Contains(got.stdout, program) {
				t.Errorf("%s completion %s: status %d, %d bytes", program, shell, got.status, len(got.stdout))
			}
		}
		if got := start(t, nil, program, "completion"); got.status != 0 || !strings.Contains(got.stdout, "powershell") {
			t.Errorf("%s completion: status %d, stdout %q", program, got.status, got.stdout)
		}
	}
}
