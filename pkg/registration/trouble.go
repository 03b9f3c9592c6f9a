package registration

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// maxChanges is how many changes of reason get a line of their own between two reminders.
// A server that gives another reason each time must not fill the log.
const maxChanges = 8

// trouble is the time from the first request that failed to the next good heartbeat.
type trouble struct {
	since     time.Time
	reason    string // the one that was logged last
	changes   int    // lines for changes of reason since the last reminder
	reminders int    // so far
}

// remindAfter lists when a trouble that lasts is logged again; after the last, hourly.
var remindAfter = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}

// meets notes a failed request, and reports whether to log it: because its reason is new,
// or as a reminder.
func (t *trouble) meets(reason string, now time.Time) bool {
	if reason != t.reason && t.changes < maxChanges {
		t.reason = reason
		t.changes++
		return true
	}
	if now.Sub(t.since) < t.reminder() {
		return false
	}
	for now.Sub(t.since) >= t.reminder() {
		t.reminders++
	}
	t.reason, t.changes = reason, 0
	return true
}

// reminder returns the age of the trouble at which the next reminder is due.
func (t *trouble) reminder() time.Duration {
	if t.reminders < len(remindAfter) {
		return remindAfter[t.reminders]
	}
	return time.Duration(t.reminders-len(remindAfter)+1) * time.Hour
}

// meets notes a failed request, and reports whether to log it.
func (o *observer) meets(op operation, err error) bool {
	now := time.Now()
	if o.trouble == nil {
		o.trouble = &trouble{since: now}
	}
	return o.trouble.meets(reasonFor(op, err), now)
}

// recovered takes note of a good heartbeat, and returns for how long there was trouble.
func (o *observer) recovered() time.Duration {
	if o.trouble == nil {
		return 0
	}
	defer func() { o.trouble = nil }()
	return time.Since(o.trouble.since)
}

// attrs returns the attribute for how long the trouble has lasted, none at its start.
func (t *trouble) attrs(now time.Time) []slog.Attr {
	lasted := now.Sub(t.since).Round(time.Second)
	if lasted == 0 {
		return nil
	}
	return []slog.Attr{slog.Duration("failing_for", lasted)}
}

// reasonFor returns the text by which two failures count as the same. Numbers in the
// detail make no difference.
func reasonFor(op operation, err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return string(op)
	}
	return strings.Join([]string{string(op), strconv.Itoa(e.StatusCode), e.Code, withoutNumbers(e.Detail)}, " ")
}

// withoutNumbers returns a text with each number replaced by #.
func withoutNumbers(text string) string {
	var kept strings.Builder
	inNumber := false
	for _, r := range text {
		isDigit := '0' <= r && r <= '9'
		switch {
		case !isDigit:
			kept.WriteRune(r)
		case !inNumber:
			kept.WriteByte('#')
		}
		inNumber = isDigit
	}
	return kept.String()
}
