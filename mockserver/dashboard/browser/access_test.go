package browser_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"

	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// A screen reader finds its way by landmarks and headings, and each control has a name.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	p := open(t, busy(t).URL, look{})
	p.unfold()
	p.testNames()
	if live := eval[string](p, "document.querySelector('#news').getAttribute('aria-live')"); live != "polite" {
		t.Errorf("news are announced %q", live)
	}
	p.testAxe()
}

// The API reference is the work of others, in the theme of the page.
func TestAccessibilityOfTheReference(t *testing.T) {
	t.Parallel()
	p := open(t, mocktest.Start(t, quiet).URL+"/docs", look{})
	p.waitText(".opblock-summary", "/v2/nodes/register")
	p.click(".opblock-summary-control")
	p.waitText(".opblock-body", "Responses")
	p.testAxe()
}

func (p *tab) testNames() {
	tree := call(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	names := map[string][]string{}
	for _, node := range tree.Nodes {
		if node.Ignored {
			continue
		}
		role, name := word(node.Role), word(node.Name)
		names[role] = append(names[role], name)
		operable := []string{
			"button", "switch", "link", "textbox", "searchbox", "combobox", "spinbutton", "checkbox",
			"image",
		}
		if slices.Contains(operable, role) && name == "" {
			p.t.Errorf("a %s has no name", role)
		}
	}
	for role, wanted := range map[string][]string{
		"banner":     {""},
		"main":       {""},
		"navigation": {"Sections and pages"},
		"heading": {
			"mock orchestratord", "Nodes", "Timeline", "Faults", "Drift", "Requests", "Refused in service", "Journal",
		},
		"region":     {"Clock and settings", "Nodes", "Timeline", "Faults", "Drift", "Journal"},
		"switch":     {"Cloud profile", "outage"},
		"button":     {"Pull cable", "Pause"},
		"combobox":   {"Validation", "Speed"},
		"spinbutton": {"Heartbeat every s", "Offline after s"},
	} {
		for _, name := range wanted {
			if !slices.Contains(names[role], name) {
				p.t.Errorf("there is no %s %q, only %q", role, name, names[role])
			}
		}
	}
	if len(names["main"]) != 1 || len(names["banner"]) != 1 {
		p.t.Errorf("landmarks: %d main, %d banner", len(names["main"]), len(names["banner"]))
	}
}

func word(value *accessibility.Value) string {
	var s string
	if value != nil {
		_ = json.Unmarshal(value.Value, &s)
	}
	return s
}

// axeRun runs all rules of axe, and lists what breaks them; what keeps them is not described.
const axeRun = `axe.run(document, { resultTypes: ['violations'], rules: {
	'label-content-name-mismatch': { enabled: true }, // experimental, and right
} }).then(({ violations }) => violations.map(({ id, help, nodes }) => id + ': ' + help + '\n' +
	nodes.slice(0, 5).map((node) =>
		'\t' + node.html.slice(0, 200) + ' ' + node.any.map(({ message }) => message).join('; ')).join('\n')))`

// testAxe has axe-core look at the page in each of its looks.
func (p *tab) testAxe() {
	const file = "../../../node_modules/axe-core/axe.min.js"
	axe, err := os.ReadFile(file)
	switch {
	case err != nil && os.Getenv("CI") == "":
		p.t.Skipf("npm ci has not installed axe-core: %v", err)
	case err != nil:
		p.t.Fatal(err)
	}
	eval[bool](p, string(axe)+"; true")
	for _, how := range []look{
		{},
		{scheme: "dark"},
		{width: 390, height: 844},
		{width: 390, height: 844, scheme: "dark"},
	} {
		p.show(how)
		eval[bool](p, "document.querySelectorAll('details').forEach((e) => { e.open = true; }), true")
		if broken := eval[[]string](p, axeRun); len(broken) > 0 {
			p.t.Errorf("axe finds in the look %s:\n%s", fmt.Sprint(how), strings.Join(broken, "\n"))
		}
	}
}
