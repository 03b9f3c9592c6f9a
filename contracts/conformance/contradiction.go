package conformance

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	// cuttingTime is how long a history may be cut down.
	cuttingTime = 5 * time.Second
	// searchTime is how long one search for an order may take meanwhile.
	searchTime = time.Second
)

// shortContradiction returns a short part of the history of one node that no order explains. It is nil if the search
// does not find one in time.
func shortContradiction(operations []porcupine.Operation, hasty bool) []porcupine.Operation {
	end := time.Now().Add(cuttingTime)
	whole := func(part []porcupine.Operation) bool { return contradicts(part, place{}, hasty, end) }
	for _, part := range byNode(operations) {
		if !whole(part) {
			continue
		}
		part = firstContradiction(part, whole)
		from := func(part []porcupine.Operation) bool { return contradicts(part, place{unknown: true}, hasty, end) }
		for i := len(part) - 1; i > 0; i-- {
			if rest := part[i:]; latest(part[:i]) < part[i].Call && from(rest) {
				return withoutIdle(rest, from)
			}
		}
		return withoutIdle(part, whole)
	}
	return nil
}

// contradicts reports whether no order explains a history that begins in a state. It is false if that does not show
// in time.
func contradicts(part []porcupine.Operation, state place, hasty bool, end time.Time) bool {
	left := min(searchTime, time.Until(end))
	if left <= 0 {
		return false
	}
	model := registryModel(hasty)
	model.Init = func() any { return state }
	return porcupine.CheckOperationsTimeout(model, part, left) == porcupine.Illegal
}

// firstContradiction returns the calls up to the first answer that makes a contradiction, in the order in which they
// were made. Those that were under way have no result yet.
func firstContradiction(part []porcupine.Operation, wrong func([]porcupine.Operation) bool) []porcupine.Operation {
	var ends []int64
	for _, o := range part {
		ends = append(ends, o.Return)
	}
	slices.Sort(ends)
	at := sort.Search(len(ends)-1, func(i int) bool { return wrong(knownBy(part, ends[i])) })
	return knownBy(part, ends[at])
}

// knownBy is what was known of a history at some time.
func knownBy(part []porcupine.Operation, end int64) []porcupine.Operation {
	var known []porcupine.Operation
	for _, o := range part {
		switch {
		case o.Call > end, o.Return > end && o.Input.(deed).op == opList:
			continue
		case o.Return > end:
			o.Output, o.Return = sight{}, math.MaxInt64
		}
		known = append(known, o)
	}
	slices.SortFunc(known, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	return known
}

func latest(part []porcupine.Operation) int64 {
	last := int64(0)
	for _, o := range part {
		last = max(last, o.Return)
	}
	return last
}

// withoutIdle leaves out calls that have changed nothing, as long as the others contradict each other without them.
func withoutIdle(part []porcupine.Operation, wrong func([]porcupine.Operation) bool) []porcupine.Operation {
	for i := len(part) - 1; i >= 0; i-- {
		seen := part[i].Output.(sight)
		idle := part[i].Input.(deed).op == opList || seen.known && seen.status == http.StatusNotFound
		if fewer := slices.Delete(slices.Clone(part), i, i+1); idle && wrong(fewer) {
			part = fewer
		}
	}
	return part
}

// meetingsOf splits calls into those that were under way at the same time.
func meetingsOf(part []porcupine.Operation) [][]porcupine.Operation {
	var groups [][]porcupine.Operation
	for i, o := range part {
		if i == 0 || latest(part[:i]) < o.Call {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], o)
	}
	return groups
}

// inWords returns calls and their results in words.
func inWords(part []porcupine.Operation) string {
	var words []string
	for _, group := range meetingsOf(part) {
		var each []string
		for _, o := range group {
			each = append(each, describe(o.Input.(deed), o.Output.(sight)))
		}
		text := strings.Join(each, ", ")
		if len(group) > 1 {
			text = "at once " + text
		}
		words = append(words, text)
	}
	return strings.Join(words, "; ")
}

// script returns commands that make the calls of a part of a history, at once where they were. Before them go
// registrations that they need: the one that a list shows, and the last one if they do not begin with any.
func (p *prober) script(whole, part []porcupine.Operation) []string {
	var lines []string
	first, shown, last := part[0].Input.(deed), culprit(part).Output.(sight).record, ""
	for _, o := range whole {
		d := o.Input.(deed)
		if d.op != opRegister || d.node != first.node || o.Call >= part[0].Call {
			continue
		}
		if last = p.curl(o.Metadata.(call)); d.record == shown {
			lines = append(lines, last)
		}
	}
	if first.op != opRegister && last != "" && !slices.Contains(lines, last) {
		lines = append(lines, last)
	}
	for _, group := range meetingsOf(part) {
		if len(group) == 1 {
			lines = append(lines, p.curl(group[0].Metadata.(call)))
			continue
		}
		for _, o := range group {
			lines = append(lines, p.curl(o.Metadata.(call))+" &")
		}
		lines = append(lines, "wait")
	}
	return lines
}

// culprit returns the call whose answer came last; of several that came at once, a list.
func culprit(part []porcupine.Operation) porcupine.Operation {
	answered := func(o porcupine.Operation) int64 { return o.Return % math.MaxInt64 } // 0 without an answer
	lists := func(o porcupine.Operation) int {
		if o.Input.(deed).op == opList {
			return 1
		}
		return 0
	}
	return slices.MaxFunc(part, func(a, b porcupine.Operation) int {
		return cmp.Or(cmp.Compare(answered(a), answered(b)), cmp.Compare(lists(a), lists(b)))
	})
}

// contradiction records that no order explains the answers to calls made at once.
func (s *session) contradiction(h *history, hasty bool, picture string) {
	s.begin()
	op, got := s.doc.operation(opList), "none does"
	if part := shortContradiction(h.operations, hasty); len(part) > 0 {
		d := culprit(part).Input.(deed)
		op, got = s.doc.operation(d.op), fmt.Sprintf("none does for the node %s: %s", h.node[d.node], inWords(part))
		slices.SortFunc(h.operations, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		s.script = s.prober.script(h.operations, part)
	}
	s.find(Nodes, op, "order of calls made at once", "one that explains all answers", got+picture)
	s.script = nil
}
