package breaking

import (
	"regexp"
	"slices"
	"strings"
)

// isHarmlessBackwards reports whether a difference does no harm to a new node before an
// old orchestratord. Such differences are left out. The documents are compared in reverse
// order here, so an addition of the new document looks like a removal.
func isHarmlessBackwards(f finding) bool {
	switch {
	case !f.breaking:
		return true // the way forward has it
	case f.rule == "request-property-removed", f.rule == "request-parameter-removed":
		return !f.compared // an old orchestratord ignores what it does not know, if it does not forbid it
	case f.rule == "response-success-status-removed":
		return !f.compared // an old orchestratord answers with none but those of the new document
	case strings.HasSuffix(f.rule, "-status-removed"), f.rule == "response-media-type-removed":
		return true // an old orchestratord answers with what the new document has as well
	}
	return false
}

var inTicks = regexp.MustCompile("`[^`]*`")

// isAboutPaths reports whether a rule of oasdiff is about a whole operation.
func isAboutPaths(rule string) bool {
	return strings.HasPrefix(rule, "api-path-removed") || strings.HasPrefix(rule, "api-removed")
}

// addBackwards adds a change that was found backwards. A change that was found forwards may
// have the same rule and the same subject, and break the other party. Then that change breaks
// both parties, and none is added.
func addBackwards(changes []Change, back Change, other Party) []Change {
	same := slices.IndexFunc(changes, func(c Change) bool {
		return c.Rule == back.Rule && slices.Equal(c.Where, back.Where) &&
			inTicks.FindString(c.What) == inTicks.FindString(back.What) && slices.Contains(c.Breaks, other)
	})
	if same >= 0 {
		changes[same].Breaks = append(changes[same].Breaks, back.Breaks...)
		return changes
	}
	back.What = "the other way round, " + back.What
	back.Why = "A node that keeps to the new document meets an orchestratord that keeps to the base."
	if other == NewNodes {
		back.Why = "An orchestratord that keeps to the new document calls a node that keeps to the base."
	}
	return append(changes, back)
}
