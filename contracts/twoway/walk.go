package twoway

import (
	"maps"
	"slices"
	"strconv"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// leaf is a list, or a value that has no values inside it, of a body, with the matchers that
// compare it. Without matchers it is compared by equality.
type leaf struct {
	pointer  string
	value    any
	shape    shape
	matchers []pactfile.Matcher
}

// walk calls visit for each leaf of a body.
type walk struct {
	rules []pactfile.BodyRule
	visit func(leaf)
}

// value visits the leaves of a value; steps lead to it from where the rules start.
func (w walk) value(pointer string, steps []pactfile.Step, value any, s shape) {
	if s.hasAlternatives() {
		return // the value does not say which alternative holds for it
	}
	matchers := w.matchers(steps)
	below := func(step pactfile.Step, inner any, s shape) {
		w.value(jsonpointer.Join(pointer, step.Name), append(slices.Clone(steps), step), inner, s)
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if field := s.field(name); field != nil { // undeclared fields are found elsewhere
				below(pactfile.Step{Name: name}, value[name], field)
			}
		}
	case []any:
		if i := slices.IndexFunc(matchers, isArrayContains); i >= 0 {
			w.variants(pointer, matchers[i].Variants, value, s)
			return
		}
		w.visit(leaf{pointer, value, s, matchers})
		for i, item := range value {
			below(pactfile.Step{Name: strconv.Itoa(i), Item: true}, item, s.items())
		}
	default:
		w.visit(leaf{pointer, value, s, matchers})
	}
}

func isArrayContains(m pactfile.Matcher) bool { return m.Match == "arrayContains" }

func (w walk) variants(pointer string, variants []pactfile.Variant, items []any, s shape) {
	for _, variant := range variants {
		if variant.Index < len(items) {
			inner := walk{variant.Rules, w.visit}
			inner.value(jsonpointer.Join(pointer, strconv.Itoa(variant.Index)), nil, items[variant.Index], s.items())
		}
	}
}

// matchers returns those that compare the value at the end of some steps. They are those of
// its own rule, or what a rule further up says of all that is inside.
func (w walk) matchers(steps []pactfile.Step) []pactfile.Matcher {
	var best *pactfile.BodyRule
	for i := range w.rules {
		rule := &w.rules[i]
		if rule.Path.Covers(steps) && (best == nil || len(rule.Path.Steps) > len(best.Path.Steps)) {
			best = rule
		}
	}
	switch {
	case best == nil:
		return nil
	case len(best.Path.Steps) == len(steps):
		return best.Matchers
	}
	var inherited []pactfile.Matcher
	for _, m := range best.Matchers {
		switch m.Match {
		case "type", "values", "eachKey":
			inherited = append(inherited, pactfile.Matcher{Match: "type"})
		case "eachValue":
			inherited = append(inherited, m.Rules...)
		}
	}
	return inherited
}
