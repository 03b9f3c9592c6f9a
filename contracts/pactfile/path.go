package pactfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Path leads from the root of a JSON value to the values inside it that a rule
// is about.
type Path struct {
	Steps      []Step
	expression string
}

// Step goes one level down: to a field of an object, or to an item of an array.
type Step struct {
	Name string // of the field, or index of the item; "*" stands for all
	Item bool
}

// String returns the path as the pact file writes it.
func (p Path) String() string {
	return p.expression
}

// parsePath reads an expression such as $.pools[*].pool_id or $['a.b'][0].
func parsePath(expression string) (Path, error) {
	path := Path{expression: expression}
	rest, rooted := strings.CutPrefix(expression, "$")
	if !rooted {
		return Path{}, fmt.Errorf("path %q does not start with $", expression)
	}
	form := regexp.MustCompile(`^(?:\.([^.\[\]]+)|\['([^']*)'\]|\["([^"]*)"\]|\[(\*|\d+)\])`)
	for rest != "" {
		groups := form.FindStringSubmatch(rest)
		if groups == nil {
			return Path{}, fmt.Errorf("path %q cannot be read from %q on", expression, rest)
		}
		path.Steps = append(path.Steps,
			Step{Name: groups[1] + groups[2] + groups[3] + groups[4], Item: groups[4] != ""})
		rest = rest[len(groups[0]):]
	}
	return path, nil
}

// Select returns the values that the path leads to, none where there are none.
func (p Path) Select(root any) []any {
	values := []any{root}
	for _, step := range p.Steps {
		values = step.fromEach(values)
	}
	return values
}

// Misses returns the first field on the path that the objects there do not have. It returns
// an empty string if the path leads to a value, or into an empty array.
func (p Path) Misses(root any) string {
	values := []any{root}
	for _, step := range p.Steps {
		inner := step.fromEach(values)
		if len(inner) == 0 && len(values) > 0 && !step.Item && step.Name != "*" {
			return step.Name
		}
		values = inner
	}
	return ""
}

func (s Step) fromEach(values []any) []any {
	var inner []any
	for _, value := range values {
		inner = append(inner, s.from(value)...)
	}
	return inner
}

func (s Step) from(value any) []any {
	var found []any
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			if !s.Item && (s.Name == "*" || s.Name == name) {
				found = append(found, field)
			}
		}
	case []any:
		for i, item := range value {
			if s.Item && (s.Name == "*" || s.Name == strconv.Itoa(i)) {
				found = append(found, item)
			}
		}
	}
	return found
}

// Covers reports whether the path leads to the end of some steps, or to a value on the
// way there.
func (p Path) Covers(steps []Step) bool {
	if len(p.Steps) > len(steps) {
		return false
	}
	for i, step := range p.Steps {
		if step.Item != steps[i].Item || step.Name != "*" && step.Name != steps[i].Name {
			return false
		}
	}
	return true
}
