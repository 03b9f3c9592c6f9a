package journal

import (
	"context"
	"iter"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
)

// Batch is some entries that one who follows a journal gets at once.
type Batch struct {
	Entries []control.JournalEntry // that fit, the oldest first
	Dropped int64                  // entries before them, fitting ones or not, that had made room for others
}

const (
	// batchPause is how long entries are gathered, so that a follower gets at most ten
	// batches a second.
	batchPause = 100 * time.Millisecond
	// maxBatch is how many entries there are in a batch.
	maxBatch = 1000
)

// Follow returns the entries that fit, in batches, as they are written: from now on, or
// if the filter has After from the one after that. After a number that no entry has, as
// a follower of another journal may have it, that is from the beginning. The first batch
// comes at once, further ones at most ten times a second.
//
// A follower that is too slow misses entries, and is told how many; it holds up nobody.
// The sequence ends with ctx, and leaves nothing behind.
func (j *Journal) Follow(ctx context.Context, f Filter) iter.Seq[Batch] {
	start := j.start(f.After)
	return func(yield func(Batch) bool) {
		wake := j.listen()
		defer j.unlisten(wake)
		c := cursor{journal: j, after: start}
		for ctx.Err() == nil {
			batch := c.batch(f)
			if batch.Dropped == 0 && len(batch.Entries) == 0 {
				select {
				case <-wake:
				case <-ctx.Done():
				}
				continue
			}
			if !yield(batch) {
				return
			}
			select {
			case <-time.After(batchPause):
			case <-ctx.Done():
			}
		}
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

// batch returns what of the entries up to the end fits.
func (c *cursor) batch(f Filter) Batch {
	var batch Batch
	c.dropped = 0
	end := c.journal.Counts().Last // which new entries may move faster than this can look at them
	for len(batch.Entries) < maxBatch && c.after < end && c.next(len(batch.Entries) == 0) {
		if f.fits(&c.record) {
			batch.Entries = append(batch.Entries, c.record.entry(f.Brief))
		}
	}
	batch.Dropped = c.dropped
	return batch
}
