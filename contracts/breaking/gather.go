package breaking

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// gather merges findings that differ only in operation and status. Otherwise a change in a
// shared schema would be reported dozens of times.
func gather(findings []finding, party Party, document version) []Change {
	var groups []*group
	for _, one := range findings {
		text, status := withoutStatus(one.what)
		i := slices.IndexFunc(groups, func(g *group) bool {
			return g.change.Rule == one.rule && g.text == text && g.breaking == one.breaking
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{text: text, breaking: one.breaking, change: newChange(one, party, document)})
		}
		groups[i].add(one, status)
	}
	changes := make([]Change, 0, len(groups))
	for _, g := range groups {
		slices.Sort(g.statuses)
		g.change.What = strings.Replace(g.text, elided, strings.Join(g.statuses, ", "), 1)
		changes = append(changes, g.change)
	}
	return changes
}

// group is one change in the making.
type group struct {
	change   Change
	text     string // with the status elided
	breaking bool
	statuses []string
}

func newChange(one finding, party Party, document version) Change {
	change := Change{Breaks: []Party{}, Rule: one.rule, Where: []string{}, File: one.where.file, Line: one.where.line}
	switch {
	case one.breaking:
		change.Breaks = append(change.Breaks, party)
		change.Why = cmp.Or(one.why, why(change.Rule))
	case one.isLoss():
		change.Breaks = append(change.Breaks, Users)
		change.Why = whyLoss
	}
	if change.Line == 0 {
		at := document.operation(one.method, one.path)
		change.File, change.Line = at.file, at.line
	}
	return change
}

// operation returns the place of an operation, or the zero place if there is none.
func (v version) operation(method, path string) place {
	item := v.api.Paths.Value(path)
	if item == nil || item.Operations()[method] == nil {
		return place{}
	}
	return lineOf(item.Operations()[method].Origin, "")
}

func (g *group) add(one finding, status string) {
	if where := strings.TrimSpace(one.method + " " + one.path); where != "" && !slices.Contains(g.change.Where, where) {
		g.change.Where = append(g.change.Where, where)
	}
	if !slices.Contains(g.statuses, status) {
		g.statuses = append(g.statuses, status)
	}
}

const elided = "\x00"

// withoutStatus takes the HTTP status out of a text that mentions one.
func withoutStatus(text string) (elidedText, status string) {
	mention := regexp.MustCompile("(status )(`[0-9]{3}`)|(`[0-9]{3}`)( status)")
	groups := mention.FindStringSubmatch(text)
	if groups == nil {
		return text, ""
	}
	return strings.Replace(text, groups[0], groups[1]+elided+groups[4], 1), groups[2] + groups[3]
}

// why explains a rule that has no explanation of its own.
func why(rule string) string {
	switch {
	case strings.Contains(rule, "request"):
		return "A client that keeps to the base may send what is now refused, or no longer be understood."
	case strings.Contains(rule, "response"):
		return "A client that keeps to the base may get an answer that it cannot handle."
	case strings.Contains(rule, "security"):
		return "A client that keeps to the base may no longer be let in."
	case strings.Contains(rule, "removed"):
		return "A client that keeps to the base asks for what is no longer there."
	default:
		return "A client that keeps to the base relies on what is no longer promised."
	}
}

func sortChanges(changes []Change) {
	rank := func(c Change) int {
		switch {
		case slices.Contains(c.Breaks, OldNodes):
			return 0
		case slices.Contains(c.Breaks, NewNodes):
			return 1
		case len(c.Breaks) > 0:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(rank(a), rank(b)) })
}
