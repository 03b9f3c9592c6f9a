package conformance

import (
	"fmt"
	"sync"
	"time"
)

// skewTolerance is how much the difference of two clocks may change within a run. It is
// over a second, because orchestratord may count in whole seconds.
const skewTolerance = 1200 * time.Millisecond

// skew is how far the clock of orchestratord is ahead of ours. We know by our clock between
// which times an event happened. So each time that orchestratord reports for an event
// bounds the skew from both sides.
type skew struct {
	mu       sync.Mutex
	known    bool
	low, top time.Duration
}

// observe returns what is wrong with a time, unless it agrees with those before it.
func (k *skew) observe(reported, from, to time.Time) (expected string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	low, top := reported.Sub(to), reported.Sub(from)
	if k.known && (low > k.top+skewTolerance || top < k.low-skewTolerance) {
		return fmt.Sprintf("about %d, when it happened", to.Add(k.low).UnixMilli()), false
	}
	if !k.known {
		k.known, k.low, k.top = true, low, top
	}
	if low, top = max(k.low, low), min(k.top, top); low <= top {
		k.low, k.top = low, top
	}
	return "", true
}
