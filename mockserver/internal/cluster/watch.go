package cluster

import (
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/registry"
)

// watch notices nodes that fall silent (CLOUD-2022). It has one timer for all nodes, set for the
// first time at which one of them may have to change. A heartbeat of a node that is Online leaves
// the timer alone: when it fires too early, it changes nothing and is set anew.
type watch struct {
	nodes  *registry.Registry
	clock  *clock.Clock
	report func([]registry.Change)

	mu     sync.Mutex
	due    time.Time   // when the timer fires
	stop   func() bool // stops the timer; nil when none is set
	closed bool
}

// arm sets the timer for a node that has come, or come back.
func (w *watch) arm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set()
}

// set has the timer fire at the next expiry of a node. One that is set for an earlier time stays.
func (w *watch) set() {
	expiry, waits := w.nodes.NextExpiry()
	if w.closed || !waits || w.stop != nil && !expiry.Before(w.due) {
		return
	}
	w.halt()
	w.due, w.stop = expiry, w.clock.At(expiry, w.expire)
}

// expire reports the nodes that have fallen silent, and sets the timer for the others. It
// is called by the timer, and to be called when nodes were given another past or timeout.
func (w *watch) expire() { w.expireAfter(func() {}) }

// expireAfter is expire after a change of rules: nobody expires in the middle of it.
func (w *watch) expireAfter(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	if w.closed {
		return
	}
	w.halt()
	w.report(w.nodes.Expire(w.clock.Now()))
	w.set()
}

func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.halt()
}

func (w *watch) halt() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}
