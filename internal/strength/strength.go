// Package strength measures how well checks find errors. Tests break something on purpose,
// one change at a time, and count how many of the changes a check finds.
//
//	tally := strength.Of("the document")
//	for i, s := range sabotages {
//		switch {
//		case !strength.Tries(i, 16):
//		case isFound(s):
//			tally.Found()
//		default:
//			tally.Missed(s.name)
//		}
//	}
//	tally.Require(t)
package strength

import (
	"flag"
	"strings"
	"sync"
	"testing"
)

const (
	// demanded is the share that has to be found, in percent, and ofSample that of a sample,
	// in which chance gathers what is missed.
	demanded, ofSample = 98, 95
)

var all = flag.Bool("strength", false, "break everything that can be broken, not a sample of it")

// Tally counts what is found of one kind. Its methods may be called at once.
type Tally struct {
	kind string

	mu        sync.Mutex
	found     int
	missed    []string
	tolerated map[string]int // by reason
}

// Of returns a tally of a kind, such as "the document".
func Of(kind string) *Tally { return &Tally{kind: kind, tolerated: map[string]int{}} }

// Tries reports whether the ith entry of a list is tried. That is one in some, or every one
// with the flag -strength.
func Tries(i, some int) bool { return *all || i%some == 0 }

// Found counts one that was found.
func (y *Tally) Found() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.found++
}

// Missed counts one that was not found.
func (y *Tally) Missed(name string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.missed = append(y.missed, name)
}

// Tolerated counts one that need not be found, for a reason.
func (y *Tally) Tolerated(reason string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.tolerated[reason]++
}

// Require fails a test when too few were found or, where everything was tried, when nothing
// was tolerated for one of the reasons.
func (y *Tally) Require(t *testing.T, reasons ...string) {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	tried := y.found + len(y.missed)
	t.Logf("%s: %d of %d are found, %d are tolerated: %v\nnot found: %s",
		y.kind, y.found, tried, sum(y.tolerated), y.tolerated, strings.Join(y.missed, "; "))
	least := ofSample
	if *all {
		least = demanded
	}
	if 100*y.found < least*tried || tried == 0 {
		t.Errorf("less than %d %% are found", least)
	}
	for _, reason := range reasons {
		if *all && y.tolerated[reason] == 0 {
			t.Errorf("nothing is tolerated any more because %s", reason)
		}
	}
}

func sum(counts map[string]int) int {
	total := 0
	for _, count := range counts {
		total += count
	}
	return total
}
