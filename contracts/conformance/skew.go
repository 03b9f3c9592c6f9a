package conformance

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// skewTolerance is how much the difference of two clocks may change within a run. It is
// over a second, because orchestratord may count in whole seconds.
const skewTolerance = 1200 * time.Millisecond

// zone is the unit of the offsets of time zones, and zoneTolerance is how exact a mistaken one shows.
const (
	zone          = 15 * time.Minute
	zoneTolerance = 3 * time.Second
)

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

// mistakenZone returns by how many time zones the reported times differ from the clock of
// orchestratord, which the Date of an answer shows. A clock that is wrong shifts both alike.
func (k *skew) mistakenZone(a *answer) (off time.Duration, mistaken bool) {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return 0, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	low, top := k.low-date.Sub(a.began), k.top-date.Sub(a.ended)
	off = (low/2 + top/2).Round(zone)
	return off, off != 0 && low <= off+zoneTolerance && top >= off-zoneTolerance
}
