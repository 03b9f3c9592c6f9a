package journal

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// roundPause is the least time between the beginnings of two rounds.
	roundPause = 10 * time.Millisecond
	// groupSize is how many listeners are woken at once. If thousands were, a request that
	// comes at that moment would wait for a processor until all of them have looked.
	groupSize = 32
	// groupPause is the time between two groups of a round.
	groupPause = time.Millisecond
)

// listeners are the goroutines that wait for entries. They are woken in rounds. A round covers
// all entries since the one before it, and blocks no writer.
type listeners struct {
	// covered is whether a round is to come that covers the next entry. While nobody
	// listens, none is needed.
	covered atomic.Bool
	timer   *time.Timer // begins a round

	mu   sync.Mutex
	all  []chan struct{}
	next time.Time // when a round may begin
}

func newListeners() *listeners {
	l := new(listeners)
	l.covered.Store(true)
	l.timer = time.AfterFunc(math.MaxInt64, l.round)
	return l
}

// announce makes it known that there is an entry.
func (l *listeners) announce() {
	if !l.covered.Load() && l.covered.CompareAndSwap(false, true) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.timer.Reset(max(time.Until(l.next), 0))
	}
}

// listen returns a channel that is woken once for all entries that come before it is looked
// at. It is to be given back to unlisten.
func (l *listeners) listen() chan struct{} {
	wake := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all = append(l.all, wake); len(l.all) == 1 {
		l.covered.Store(false)
	}
	return wake
}

func (l *listeners) unlisten(wake chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.all, wake)
	if l.all = slices.Delete(l.all, at, at+1); len(l.all) == 0 {
		l.all = nil // the memory of a crowd
		l.covered.Store(true)
	}
}

// begin returns who is to be woken in a round that begins now.
func (l *listeners) begin() []chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	groups := len(l.all) / groupSize
	l.next = time.Now().Add(max(roundPause, time.Duration(groups)*groupPause))
	l.covered.Store(len(l.all) == 0)
	return slices.Clone(l.all)
}

// round wakes all listeners, group by group.
func (l *listeners) round() {
	for i, wake := range l.begin() {
		if i > 0 && i%groupSize == 0 {
			time.Sleep(groupPause)
		}
		select {
		case wake <- struct{}{}:
		default: // it has yet to look at what came before
		}
	}
}
