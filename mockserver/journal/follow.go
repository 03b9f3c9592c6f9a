package journal

import (
	"context"
	"iter"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
)

// Batch is some entries that one who follows a journal gets at once.
type Batch struct {
	// Dropped counts the entries before them, fitting ones or not, that had made room for
	// others.
	Dropped int64
	// Entries are those that fit, the oldest first. Each is read from the journal when its
	// turn comes, so that a batch takes no more memory than one of them. They are to be
	// read once, before the next batch, which goes on where that stopped.
	Entries iter.Seq[control.JournalEntry]
}

const (
	// batchPause is how long entries are gathered, so that a follower looks at most ten
	// times a second.
	batchPause = 100 * time.Millisecond
	// maxBatch is how many entries there are in a batch.
	maxBatch = 1000
)

// Follow returns the entries that fit, in batches, as they are written: from now on or, with
// f.After, from the entry after that one. If no entry has that number, as with that of another
// journal, it begins with the oldest. The first batch comes at once, further ones at most ten
// times a second.
//
// A follower that is too slow misses entries, and its batch counts them; it blocks nobody. The
// sequence ends with ctx, and leaves nothing behind.
func (j *Journal) Follow(ctx context.Context, f Filter) iter.Seq[Batch] {
	start := j.start(f.After)
	return func(yield func(Batch) bool) {
		wake := j.listeners.listen()
		defer j.listeners.unlisten(wake)
		c := cursor{journal: j, after: start}
		for ctx.Err() == nil {
			if batch, any := c.batch(f); any && !yield(batch) {
				return
			}
			c.pause(ctx)
			if c.after < j.Counts().Last {
				continue
			}
			select {
			case <-wake:
			case <-ctx.Done():
			}
		}
	}
}

func (c *cursor) pause(ctx context.Context) {
	select {
	case <-time.After(batchPause):
	case <-ctx.Done():
	}
}

// start returns the sequence of the entry after which a follower begins.
func (j *Journal) start(after *control.Sequence) int64 {
	last := j.Counts().Last
	switch {
	case after == nil:
		return last
	case *after > last:
		return 0
	}
	return *after
}

// batch returns what of the entries up to the end fits. It reports false if there is
// nothing to say.
func (c *cursor) batch(f Filter) (Batch, bool) {
	c.dropped = 0
	end := c.journal.Counts().Last // which new entries may move faster than this can look at them
	found := c.seek(f, end, true)
	return Batch{c.dropped, c.entries(f, end, found)}, found || c.dropped > 0
}

// entries returns the entry that the cursor stands at, if found says that it fits, and
// those up to end that follow without a gap.
func (c *cursor) entries(f Filter, end int64, found bool) iter.Seq[control.JournalEntry] {
	return func(yield func(control.JournalEntry) bool) {
		for n := 1; found && yield(c.record.entry(f.Brief)) && n < maxBatch; n++ {
			found = c.seek(f, end, false)
		}
	}
}

// seek moves on to the next entry that fits. It reports false if none does up to end, or
// up to a gap unless it may leap over it.
func (c *cursor) seek(f Filter, end int64, leap bool) bool {
	for c.after < end && c.next(leap) {
		if f.fits(&c.record) {
			return true
		}
	}
	return false
}
