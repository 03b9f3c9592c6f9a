package conformance

import (
	"net/http"
	"sync"
	"time"
)

// skewTolerance is how much the difference of two clocks may change within a run. It is
// over a second, because orchestratord may count in whole seconds.
const skewTolerance = 1200 * time.Millisecond

// zone is the unit of the offsets of time zones. A difference of clocks within zoneTolerance of a
// multiple of it is taken for a mistaken zone.
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

// observe returns about which time it should be, in milliseconds, unless it agrees with those before it.
func (k *skew) observe(reported, from, to time.Time) (expected int64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	low, top := reported.Sub(to), reported.Sub(from)
	if k.known && (low > k.top+skewTolerance || top < k.low-skewTolerance) {
		return to.Add(k.low).UnixMilli(), false
	}
	if !k.known {
		k.known, k.low, k.top = true, low, top
	}
	if low, top = max(k.low, low), min(k.top, top); low <= top {
		k.low, k.top = low, top
	}
	return 0, true
}

// mistakenZone returns how far the reported times are off, if that is the offset of a time zone. The
// Date of an answer shows the clock of orchestratord: a clock that is wrong shifts both alike. Behind
// a proxy nothing is checked, since the Date may be by the clock of the proxy.
func (k *skew) mistakenZone(a *answer) (off time.Duration, mistaken bool) {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil || proxied(a.header) {
		return 0, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	low, top := k.low-date.Sub(a.began), k.top-date.Sub(a.ended)
	off = (low/2 + top/2).Round(zone)
	return off, off != 0 && low <= off+zoneTolerance && top >= off-zoneTolerance
}

// proxied reports whether an answer shows that a proxy or a cache has passed it on (RFC 9110, RFC 9111).
func proxied(header http.Header) bool {
	return header.Get("Via") != "" || header.Get("Age") != "" || len(header["Date"]) > 1
}
