package breaking_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/breaking"
)

func acceptList(t *testing.T, text string) (*breaking.Accepted, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accepted.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return breaking.LoadAccepted(path)
}

func TestAccept(t *testing.T) {
	properties := object{"a": object{"type": "string"}}
	base := sketch{Body: object{"type": "object", "properties": properties}}
	revised := sketch{Body: object{"type": "object", "required": []any{"a"}, "properties": properties}}
	const (
		entry = "- rule: request-property-became-required\n  reason: agreed\n"
		idle  = "accepted.yaml:1: request-property-became-required"
		other = "- rule: server-removed\n  reason: agreed\n"
	)
	for _, test := range []struct {
		name, list string
		accepted   bool
		idle       string
	}{
		{"by its rule", entry, true, ""},
		{"by its operation", entry + "  operations: [\"POST /n/{id}\"]\n", true, ""},
		{"by its text", entry + "  what: '`a`'\n", true, ""},
		{"of another operation", entry + "  operations: [POST /n]\n", false, idle},
		{"of another field", entry + "  what: '`b`'\n", false, idle},
		{"and another that is not there", entry + other, true, "accepted.yaml:3: server-removed"},
		{"nothing", "", false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			report, err := breaking.Compare(t.Context(), base.document(t, "base.json"),
				revised.document(t, "revised.json"))
			if err != nil {
				t.Fatal(err)
			}
			accepted, err := acceptList(t, test.list)
			if err != nil {
				t.Fatal(err)
			}
			report.Accept(accepted)
			if report.Breaks(breaking.OldNodes) == test.accepted {
				t.Errorf("accepted: %t", !test.accepted)
			}
			if idle := strings.Join(report.Idle, "\n"); !strings.HasSuffix(idle, test.idle) || test.idle == "" &&
				idle != "" {
				t.Errorf("idle entries %q, not %q", idle, test.idle)
			}
		})
	}
}

// An entry for one operation is not about the document as a whole.
func TestAcceptOfTheDocumentAsAWhole(t *testing.T) {
	scheme := func(name string) sketch {
		return sketch{Doc: object{"components": object{"securitySchemes": object{
			"token": object{"type": "http", "scheme": name},
		}}}}
	}
	for list, accepted := range map[string]bool{
		"- rule: RULE\n  reason: agreed\n":                                   true,
		"- rule: RULE\n  reason: agreed\n  operations: [\"POST /n/{id}\"]\n": false,
	} {
		report, err := breaking.Compare(t.Context(), scheme("bearer").document(t, "base.json"),
			scheme("basic").document(t, "revised.json"))
		if err != nil {
			t.Fatal(err)
		}
		entries, err := acceptList(t, strings.Replace(list, "RULE", report.Changes[0].Rule, 1))
		if err != nil {
			t.Fatal(err)
		}
		report.Accept(entries)
		if report.Breaks(breaking.OldNodes) == accepted || (len(report.Idle) == 0) != accepted {
			t.Errorf("%s accepts %+v; idle: %s", list, report.Changes, report.Idle)
		}
	}
}

func TestLoadAcceptedRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no reason":     "- rule: server-removed\n",
		"no rule":       "- reason: agreed\n",
		"another field": "- rule: server-removed\n  reason: agreed\n  operation: [POST /n]\n",
		"no list":       "rule: server-removed\n",
	} {
		if _, err := acceptList(t, text); err == nil || !strings.Contains(err.Error(), "accepted.yaml") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
