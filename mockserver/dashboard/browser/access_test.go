package browser_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
)

// A screen reader finds its way by landmarks and headings, and each control has a name.
func TestAccessibilityTree(t *testing.T) {
	t.Parallel()
	p := open(t, busy(t).URL, look{})
	p.unfold()
	tree := call(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	names := map[string][]string{}
	for _, node := range tree.Nodes {
		if node.Ignored {
			continue
		}
		role, name := word(node.Role), word(node.Name)
		names[role] = append(names[role], name)
		operable := []string{"button", "switch", "link", "textbox", "searchbox", "combobox", "spinbutton", "checkbox", "image"}
		if slices.Contains(operable, role) && name == "" {
			t.Errorf("a %s has no name", role)
		}
	}
	for role, wanted := range map[string][]string{
		"banner":     {""},
		"main":       {""},
		"navigation": {"Sections and pages"},
		"heading":    {"mock orchestratord", "Nodes", "Timeline", "Faults", "Drift", "Journal"},
		"region":     {"Nodes", "Timeline", "Faults", "Drift", "Journal", "Overview"},
		"switch":     {"Cloud profile", "outage"},
		"button":     {"Pull the cable of gpu-node-1", "Pause"},
		"combobox":   {"Validation", "Speed"},
		"spinbutton": {"Heartbeat every s", "Offline after s"},
	} {
		for _, name := range wanted {
			if !slices.Contains(names[role], name) {
				t.Errorf("there is no %s %q, only %q", role, name, names[role])
			}
		}
	}
	if len(names["main"]) != 1 || len(names["banner"]) != 1 {
		t.Errorf("landmarks: %d main, %d banner", len(names["main"]), len(names["banner"]))
	}
	twice := eval[[]string](p, `[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)`)
	if len(twice) > 0 {
		t.Errorf("ids that are there twice: %q", twice)
	}
	if live := eval[string](p, "document.querySelector('#news').getAttribute('aria-live')"); live != "polite" {
		t.Errorf("news are shown as %q", live)
	}
}

func word(value *accessibility.Value) string {
	var s string
	if value != nil {
		_ = json.Unmarshal(value.Value, &s)
	}
	return s
}
