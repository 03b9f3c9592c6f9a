package registration

import (
	"time"
)

// maxReasons is how many reasons of one trouble get a line of their own. A server that
// gives another reason each time must not fill the log.
const maxReasons = 8

// trouble is a time in which requests are not accepted, for one reason or several.
type trouble struct {
	since   time.Time       // zero while there is none
	reasons map[string]bool // that have been logged
	told    int             // reminders so far
}

// remindAfter lists when a trouble that lasts is logged again; after the last, hourly.
var remindAfter = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}

// meets takes note of a request that was not accepted, and reports whether it deserves a
// line of its own: for its reason, or as a reminder.
func (t *trouble) meets(reason string, now time.Time) bool {
	if t.since.IsZero() {
		t.since, t.reasons = now, map[string]bool{}
	}
	if !t.reasons[reason] && len(t.reasons) < maxReasons {
		t.reasons[reason] = true
		return true
	}
	if now.Sub(t.since) < t.reminder() {
		return false
	}
	for now.Sub(t.since) >= t.reminder() {
		t.told++
	}
	return true
}

// reminder returns how long a trouble lasts when it is logged again.
func (t *trouble) reminder() time.Duration {
	if t.told < len(remindAfter) {
		return remindAfter[t.told]
	}
	return time.Duration(t.told-len(remindAfter)+1) * time.Hour
}

// end takes note of a good heartbeat, and returns for how long there was trouble.
func (t *trouble) end(now time.Time) time.Duration {
	if t.since.IsZero() {
		return 0
	}
	lasted := now.Sub(t.since)
	*t = trouble{}
	return lasted
}
