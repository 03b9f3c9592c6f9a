package registration_test

import (
	"slices"
	"sync"
	"testing"
)

// draws are what nodes have drawn at random, as shares of what they may draw, by what it was
// for: a node that does not spread what it sends keeps every promise, and tramples.
type draws struct {
	mu     sync.Mutex
	shares map[string][]float64
}

// enoughDraws are as many as are spread evenly by all likelihood, if by any.
const enoughDraws = 40

func newDraws() *draws { return &draws{shares: map[string][]float64{}} }

func (d *draws) add(why string, share float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shares[why] = append(d.shares[why], share)
}

// check holds what was drawn to be spread evenly, where it was often enough.
func (d *draws) check(t *testing.T) {
	for why, shares := range d.shares {
		sum := 0.0
		for _, s := range shares {
			sum += s
		}
		mean := sum / float64(len(shares))
		low, high := slices.Min(shares), slices.Max(shares)
		even := mean > 0.35 && mean < 0.65 && low < 0.15 && high > 0.85
		if len(shares) >= enoughDraws && !even {
			t.Errorf(
				"%s: %d draws lie within %.2f and %.2f of what there is, at %.2f on average, want them spread evenly",
				why, len(shares), low, high, mean)
		}
		t.Logf("%s: %d draws, %.2f on average", why, len(shares), mean)
	}
}
