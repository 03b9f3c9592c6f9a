package breaking

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
)

// gather makes one change of those that differ in nothing but operation and
// status: what changes in a shared schema would be told dozens of times otherwise.
func gather(found checker.Changes, document *openapi3.T) []Change {
	english := checker.NewDefaultLocalizer()
	var groups []*group
	for _, one := range found {
		text, status := withoutStatus(one.GetUncolorizedText(english))
		i := slices.IndexFunc(groups, func(g *group) bool { return g.change.Rule == one.GetId() && g.text == text })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{text: text, change: newChange(one, one.GetComment(english), document)})
		}
		groups[i].add(one, status)
	}
	changes := make([]Change, 0, len(groups))
	for _, g := range groups {
		slices.Sort(g.statuses)
		g.change.What = strings.Replace(g.text, elided, strings.Join(g.statuses, ", "), 1)
		changes = append(changes, g.change)
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(rank(a), rank(b)) })
	return changes
}

// group is one change in the making.
type group struct {
	change   Change
	text     string // with the status elided
	statuses []string
}

func newChange(one checker.Change, comment string, document *openapi3.T) Change {
	change := Change{Rule: one.GetId(), Breaking: one.IsBreaking(), Where: []string{}, Line: line(one, document)}
	if change.Breaking {
		change.Why = cmp.Or(comment, why(change.Rule))
	}
	return change
}

// line returns where the change is in the document, 0 when it is not there at all.
func line(one checker.Change, document *openapi3.T) int {
	if source := one.GetRevisionSource(); source != nil {
		return source.Line
	}
	path := document.Paths.Value(one.GetPath())
	if path == nil {
		return 0
	}
	operation := path.Operations()[one.GetOperation()]
	if operation == nil || operation.Origin == nil || operation.Origin.Key == nil {
		return 0
	}
	return operation.Origin.Key.Line
}

func (g *group) add(one checker.Change, status string) {
	if where := strings.TrimSpace(one.GetOperation() + " " + one.GetPath()); where != "" && !slices.Contains(g.change.Where, where) {
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

func rank(c Change) int {
	if c.Breaking {
		return 0
	}
	return 1
}
