package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// Whatever a rule may state changes its sentence, and each value in its own way.
func TestEveryFieldOfARuleIsSaid(t *testing.T) {
	t.Parallel()
	unavailable := rule{"status": http.StatusServiceUnavailable}
	rules := []any{rule{"effect": rule{}}, rule{"effect": unavailable}}
	for field, values := range valuesOf("FaultEffect") {
		for _, value := range values {
			rules = append(rules, rule{"effect": rule{field: value}})
		}
	}
	for field, values := range valuesOf("FaultMatch") {
		for _, value := range values {
			rules = append(rules, rule{"match": rule{field: value}, "effect": unavailable})
		}
	}
	said := map[string]any{}
	for i, words := range sentences(t, rules) {
		if other, twice := said[words]; twice {
			t.Errorf("%v and %v are both %q", other, rules[i], words)
		}
		said[words] = rules[i]
		if !whole(words) {
			t.Errorf("%v is %q", rules[i], words)
		}
	}
}

func TestEveryPresetIsSaid(t *testing.T) {
	t.Parallel()
	var names []string
	var rules []any
	for name, preset := range faults.Presets() {
		for _, rule := range preset.Rules {
			names, rules = append(names, name), append(rules, rule)
		}
	}
	for i, words := range sentences(t, rules) {
		if !whole(words) || strings.HasSuffix(words, ": change nothing.") {
			t.Errorf("a rule of %s is %q", names[i], words)
		}
	}
}

type rule map[string]any

// whole reports whether a sentence has words on both sides of its colon, none of them JavaScript's.
func whole(sentence string) bool {
	when, what, _ := strings.Cut(strings.TrimSuffix(sentence, "."), ": ")
	return when != "" && what != "" && !strings.Contains(sentence, "undefined")
}

// sentences returns what the page says of rules.
func sentences(t *testing.T, rules []any) []string {
	t.Helper()
	written, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	p := openScript(t)
	return eval[[]string](p, fmt.Sprintf("import('./rules.js').then((m) => %s.map(m.sentence))", written))
}

// valuesOf returns values of each field of a schema of the control API: all of an enum, and of
// others one that is not the default.
func valuesOf(schema string) map[string][]any {
	values := map[string][]any{}
	for field, property := range spec.Control().Schema(schema).Properties {
		switch {
		case property.Value.Enum != nil:
			values[field] = property.Value.Enum
		case property.Value.Max != nil:
			values[field] = []any{*property.Value.Max}
		default:
			values[field] = []any{property.Value.Example}
		}
	}
	return values
}
