//go:build pact

package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/foreign"
)

// explain adds what Pact's mismatches leave out. It says why the provider refused, which item
// of a list is wrong and how, and whether this provider checks tokens at all.
func (v verification) explain(i pactfile.Interaction, mismatches []string) []string {
	last := v.gateway.answer.Load()
	if last == nil {
		return mismatches
	}
	var lines []string
	for _, mismatch := range mismatches {
		found := v.explainVariant(i, mismatch, last.body)
		if len(found) == 0 {
			found = []string{mismatch}
		}
		lines = append(lines, found...)
	}
	expected := i.Response.Status
	switch {
	case last.status != expected && last.status >= 400:
		lines = append(lines, fmt.Sprintf("it was answered %d%s", last.status, because(last.body)))
	case last.status != expected && expected == 401 && !v.needsToken:
		lines = append(lines,
			"orchestratord answers calls without a token too, although one was given for this verification")
	}
	return lines
}

// explainVariant explains a list that lacks an item of the pact: it returns how the most
// similar item differs. For other mismatches it returns nothing.
func (v verification) explainVariant(i pactfile.Interaction, mismatch string, body []byte) []string {
	at, _, isVariant := strings.Cut(mismatch, ": Variant at index ")
	var answer any
	if !isVariant || json.Unmarshal(body, &answer) != nil || i.Response.Body.Empty() {
		return nil
	}
	var lines []string
	for _, rule := range i.Response.Rules.Body {
		if rule.Path.String() != at {
			continue
		}
		listed, _ := first(rule.Path.Select(answer)).([]any)
		wanted, _ := first(rule.Path.Select(i.Response.Body.Content)).([]any)
		for _, matcher := range rule.Matchers {
			for _, variant := range matcher.Variants {
				if variant.Index < len(wanted) {
					lines = append(lines, nearest(at, variant, wanted[variant.Index], v.preferOwn(listed))...)
				}
			}
		}
	}
	return lines
}

// item is an item of a list.
type item struct {
	index int
	value any
}

// preferOwn returns the items about nodes of this run, or all if there are none.
func (v verification) preferOwn(list []any) []item {
	var all, own []item
	for index, value := range list {
		all = append(all, item{index, value})
		if strings.Contains(fmt.Sprint(value), v.ids.prefix) {
			own = append(own, item{index, value})
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

func first(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

// nearest compares a variant with the item that differs in the fewest places.
func nearest(at string, variant pactfile.Variant, wanted any, listed []item) []string {
	best := []string{fmt.Sprintf("%s: the list is empty, expected %s", at, shown(wanted))}
	for n, item := range listed {
		var found differences
		found.compare(fmt.Sprintf("%s[%d]", at, item.index), "$", variant.Rules, wanted, item.value)
		if len(found) == 0 { // the library compares more closely
			found.add(fmt.Sprintf("%s[%d]", at, item.index), "expected one like %s, listed is %s", shown(wanted),
				shown(item.value))
		}
		if n == 0 || len(found) < len(best) {
			best = found
		}
	}
	return best
}

// differences are how a value is not as a pact has it, one a line.
type differences []string

func (d *differences) add(at, format string, args ...any) {
	*d = append(*d, at+": "+fmt.Sprintf(format, args...))
}

// compare compares a value with an example: by equality, or by type alone where the
// rules have the place or one above it. The place is given as the answer has it, and
// as the rules have it.
func (d *differences) compare(at, inRules string, rules []pactfile.BodyRule, wanted, value any) {
	fields, isObject := wanted.(map[string]any)
	has, _ := value.(map[string]any)
	switch {
	case isObject && has != nil:
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if inner, present := has[name]; present {
				d.compare(at+"."+name, inRules+"."+name, rules, fields[name], inner)
			} else {
				d.add(at+"."+name, "it is missing, expected %s", shown(fields[name]))
			}
		}
	case hasRule(inRules, rules):
		if reflect.TypeOf(wanted) != reflect.TypeOf(value) {
			d.add(at, "expected a value like %s, listed is %s", shown(wanted), shown(value))
		}
	case !reflect.DeepEqual(wanted, value):
		d.add(at, "expected %s, listed is %s", shown(wanted), shown(value))
	}
}

// hasRule reports whether a rule is given for a place, or for one above it.
func hasRule(at string, rules []pactfile.BodyRule) bool {
	for _, rule := range rules {
		if path := rule.Path.String(); path == at || path != "$" && strings.HasPrefix(at, path+".") {
			return true
		}
	}
	return false
}

// shown returns a JSON value as a text of bounded length.
func shown(value any) string {
	text, _ := json.Marshal(value)
	return foreign.Cut(string(text), maxReason)
}
