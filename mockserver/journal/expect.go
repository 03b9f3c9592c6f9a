package journal

import (
	"context"
	"time"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// Expect counts the entries that fit an expectation. It waits for more until there are enough,
// or too many, or the time of the expectation or ctx is over.
//
// If the expectation is not met, the result names the nearest miss: the entry that fails the
// fewest conditions. On a tie it is the one that gets furthest down the list operation, node,
// answer, pool; then the newest.
//
// Entries that were dropped before Expect could read them do not count. The result says how
// many there were.
func (j *Journal) Expect(ctx context.Context, e control.Expectation) control.ExpectationResult {
	wake := j.listeners.listen()
	defer j.listeners.unlisten(wake)
	over := time.NewTimer(time.Duration(optional.Or(e.WithinMs, 0)) * time.Millisecond)
	defer over.Stop()

	t := newTally(j, e)
	for waiting := true; ; {
		t.count()
		if t.decided() || !waiting {
			return t.result()
		}
		select {
		case <-wake:
		case <-over.C:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
}

// tally is how far an expectation is met.
type tally struct {
	expectation control.Expectation
	least, most int64 // most is -1 if there may be any number
	conditions  []condition
	cursor      cursor

	fitting int64
	newest  record // of those that fit, if there are any

	nearest  record // of those that do not fit, if there are any
	distance distance
}

// distance is by how much an entry does not fit.
type distance struct {
	failed int // conditions; 0 if there is no entry
	first  int // of them, which is the most telling one
}

func (d distance) within(other distance) bool {
	return other.failed == 0 || d.failed < other.failed || d.failed == other.failed && d.first >= other.first
}

func newTally(j *Journal, e control.Expectation) *tally {
	t := &tally{
		expectation: e,
		least:       int64(optional.Or(e.AtLeast, 0)),
		most:        -1,
		conditions:  conditions(e),
		cursor:      cursor{journal: j, after: optional.Or(e.After, 0)},
	}
	if e.AtMost != nil {
		t.most = int64(*e.AtMost)
	} else if e.AtLeast == nil {
		t.least = 1
	}
	return t
}

// count looks at the entries that have come since it was last called.
func (t *tally) count() {
	end := t.cursor.journal.Counts().Last // which new entries may move faster than this can look at them
	for !t.decided() && t.cursor.after < end && t.cursor.next(true) {
		t.classify(&t.cursor.record)
	}
}

func (t *tally) classify(r *record) {
	var off distance
	look := sight{record: r}
	for i, condition := range t.conditions {
		if condition.fits(&look) {
			continue
		}
		if off.failed++; off.failed == 1 {
			off.first = i
		}
	}
	switch {
	case off.failed == 0:
		t.fitting++
		t.newest.copy(r)
	case off.within(t.distance):
		t.distance = off
		t.nearest.copy(r)
	}
}

// exceeded reports whether there are too many.
func (t *tally) exceeded() bool { return t.most >= 0 && t.fitting > t.most }

// met reports whether there are as many as there should be, so far.
func (t *tally) met() bool { return t.fitting >= t.least && !t.exceeded() }

// decided reports whether no further entry can change the result.
func (t *tally) decided() bool {
	return t.exceeded() || t.most < 0 && t.met()
}

func (t *tally) result() control.ExpectationResult {
	result := control.ExpectationResult{
		Met:     t.met(),
		Count:   t.fitting,
		Message: foreign.Cut(t.message(), maxMessage),
		Dropped: optional.Stated(t.cursor.dropped),
	}
	if !result.Met && !t.exceeded() && t.distance.failed > 0 {
		result.Nearest = &control.NearMiss{Entry: t.nearest.entry(false), Missed: t.missed()}
	}
	return result
}

// missed says what of the nearest entry does not fit.
func (t *tally) missed() []string {
	var missed []string
	look := sight{record: &t.nearest}
	for _, condition := range t.conditions {
		if condition.fits(&look) {
			continue
		}
		// A pool that is not reported is one reason for all conditions on it.
		if line := foreign.Cut(condition.miss(&look), maxMissed); len(missed) == 0 || missed[len(missed)-1] != line {
			missed = append(missed, line)
		}
	}
	return missed
}
