package breaking

import (
	"regexp"
	"slices"
	"strings"
)

// isHarmlessBackwards reports whether a difference does no harm to a new node before an
// old orchestratord, so that it is left out. These are differences of the documents
// exchanged: what the new one has added is what the old one has "removed".
func isHarmlessBackwards(f finding) bool {
	switch {
	case !f.breaking:
		return true // the way forward has it
	case f.rule == "request-property-removed", f.rule == "request-parameter-removed":
		return true // an old orchestratord ignores what it does not know
	case strings.HasSuffix(f.rule, "-status-removed"), f.rule == "response-media-type-removed":
		return true // an old orchestratord answers with what the new document has as well
	}
	return false
}

var inTicks = regexp.MustCompile("`[^`]*`")

// addBackwards adds a change that breaks new nodes to those that break old ones. A
// change of the same kind, of the same thing, is the same change.
func addBackwards(changes []Change, back Change) []Change {
	same := slices.IndexFunc(changes, func(c Change) bool {
		return c.Rule == back.Rule && slices.Equal(c.Where, back.Where) &&
			inTicks.FindString(c.What) == inTicks.FindString(back.What) && slices.Contains(c.Breaks, OldNodes)
	})
	if same >= 0 {
		changes[same].Breaks = append(changes[same].Breaks, back.Breaks...)
		return changes
	}
	back.What = "the other way round, " + back.What
	back.Why = "A node that keeps to the new document meets an orchestratord that keeps to the base."
	return append(changes, back)
}
