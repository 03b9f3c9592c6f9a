package pactfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Rules say which parts of a message are compared by something else than
// equality with the example. One for a single value of a query or a header stands
// under its name and index, as tag[0].
type Rules struct {
	Path   []Matcher
	Status []Matcher
	Query  map[string][]Matcher
	Header map[string][]Matcher
	Body   []BodyRule // by path
}

// BodyRule says how the values at one place of a body are compared, and, unless
// another rule says otherwise, the values inside them.
type BodyRule struct {
	Path     Path
	Matchers []Matcher
}

// Matcher is one way to compare a value. Match names it; which of the other
// fields count depends on it. One called "either" takes what one of its Rules takes.
type Matcher struct {
	Match    string
	Regex    string
	Value    any
	Min      *uint64
	Max      *uint64
	Variants []Variant
	Rules    []Matcher
	Format   string // of a date or a time, as Java writes it
}

// Variant is one of the items that a list has to contain. It is the one at Index of the
// example, compared by Rules, whose paths start at the item.
type Variant struct {
	Index int
	Rules []BodyRule
}

// ruleSet is how the pact file writes a list of matchers.
type ruleSet struct {
	Combine  string
	Matchers []Matcher
}

// matchers returns those that all have to match.
func (s ruleSet) matchers() []Matcher {
	if s.Combine == "OR" && len(s.Matchers) > 1 {
		return []Matcher{{Match: "either", Rules: s.Matchers}}
	}
	return s.Matchers
}

// UnmarshalJSON reads the rules by category.
func (r *Rules) UnmarshalJSON(data []byte) error {
	var wire struct {
		Path   ruleSet
		Status ruleSet
		Query  map[string]ruleSet
		Header map[string]ruleSet
		Body   map[string]ruleSet
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	r.Path, r.Status = wire.Path.matchers(), wire.Status.matchers()
	r.Query, r.Header = byName(wire.Query), byName(wire.Header)
	var err error
	r.Body, err = byPath(wire.Body)
	return err
}

// UnmarshalJSON reads the rules of the variant in the order of their paths.
func (v *Variant) UnmarshalJSON(data []byte) error {
	var wire struct {
		Index int
		Rules map[string]ruleSet
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Index < 0 {
		return fmt.Errorf("a variant has the index %d", wire.Index)
	}
	var err error
	v.Index = wire.Index
	v.Rules, err = byPath(wire.Rules)
	return err
}

// byName joins the rules of a name, which libraries write as Accept, $.Accept, $['Accept'] or
// Accept[*].
func byName(sets map[string]ruleSet) map[string][]Matcher {
	rules := make(map[string][]Matcher, len(sets))
	for _, written := range slices.Sorted(maps.Keys(sets)) {
		name := ruleName(written)
		rules[name] = append(rules[name], sets[written].matchers()...)
	}
	return rules
}

var nameForm = regexp.MustCompile(`^(?:\$\.?)?(?:\['([^']*)'\]|\["([^"]*)"\]|(.+?))(?:(\[\d+\])|\[\*\])?$`)

func ruleName(written string) string {
	groups := nameForm.FindStringSubmatch(written)
	if groups == nil {
		return written
	}
	return groups[1] + groups[2] + groups[3] + groups[4]
}

func byPath(sets map[string]ruleSet) ([]BodyRule, error) {
	var rules []BodyRule
	for _, expression := range slices.Sorted(maps.Keys(sets)) {
		path, err := parsePath(expression)
		if err != nil {
			return nil, err
		}
		rules = append(rules, BodyRule{Path: path, Matchers: sets[expression].matchers()})
	}
	return rules, nil
}
