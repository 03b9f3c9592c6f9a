package journal

import (
	"encoding/json"
	"slices"

	"github.com/llama-orch/node-registration/mockserver/control"
)

// MaxBatchBytes is how much JSON the entries of a page or a batch take together: it ends
// with the entry that reaches it.
const MaxBatchBytes = 1 << 20

// Page returns at most limit matching entries, oldest first: the newest ones or, with f.After,
// the first ones after it. It is truncated if these take more than MaxBatchBytes. Dropped
// counts the entries before these that made room for others. Last is the entry to go on after.
func (j *Journal) Page(f Filter, limit int) control.JournalPage {
	counts := j.Counts()
	page := page{JournalPage: control.JournalPage{
		Entries: []control.JournalEntry{}, Last: counts.Last, Dropped: counts.Dropped,
	}, limit: limit}
	if f.After != nil {
		c := cursor{journal: j, after: *f.After}
		for page.hasRoom() && c.seek(f, counts.Last, len(page.Entries) == 0) {
			page.add(c.record.entry(f.Brief))
		}
		page.Dropped = c.dropped
		page.Last = min(c.after, counts.Last)
		return page.JournalPage
	}
	var r record
	for sequence := counts.Last; page.hasRoom() && j.copy(sequence, &r); sequence-- {
		if f.fits(&r) {
			page.add(r.entry(f.Brief))
		}
	}
	slices.Reverse(page.Entries)
	return page.JournalPage
}

// page is a page in the making.
type page struct {
	control.JournalPage
	limit, bytes int
}

func (p *page) hasRoom() bool { return len(p.Entries) < p.limit && p.bytes < MaxBatchBytes }

func (p *page) add(entry control.JournalEntry) {
	text, _ := json.Marshal(entry) // all of it is text and numbers, which can be written
	p.bytes += len(text)
	p.Entries = append(p.Entries, entry)
	if p.bytes >= MaxBatchBytes && len(p.Entries) < p.limit {
		p.Truncated = new(true)
	}
}

// Entry returns one entry in full. It reports false if there is none with this number,
// or no longer.
func (j *Journal) Entry(sequence int64) (control.JournalEntry, bool) {
	var r record
	if !j.copy(sequence, &r) {
		return control.JournalEntry{}, false
	}
	return r.entry(false), true
}

// copy copies an entry if it is kept.
func (j *Journal) copy(sequence int64, into *record) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if sequence < j.oldest() || sequence > j.last {
		return false
	}
	into.copy(j.at(sequence))
	return true
}

// cursor walks through the journal, entry by entry, while others are written.
type cursor struct {
	journal *Journal
	after   int64  // sequence of the entry that was last passed
	dropped int64  // entries on the way that had made room for others
	record  record // the entry that it stands at
}

// next moves on. It reports false at the end, which another entry may move, and before a
// gap unless it may leap.
func (c *cursor) next(leap bool) bool {
	j := c.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	c.after = max(c.after, j.cleared)
	if gap := j.oldest() - 1 - c.after; gap > 0 {
		if !leap {
			return false
		}
		c.dropped += gap
		c.after += gap
	}
	if c.after >= j.last {
		return false
	}
	c.after++
	c.record.copy(j.at(c.after))
	return true
}
