package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// session makes the calls of one case, one after the other, and collects the findings. Once
// the run has stopped, it makes no more calls, and every method returns at once.
type session struct {
	*run
	check string // the name of the check
	trail []made // of this case
	found []Finding
	quiet bool   // whether findings stay here
	level Level  // that findings are of at least
	doubt string // what the check could not decide; empty for nothing

	script []string // that shows what is found, in place of the trail

	shrinking int64 // how many calls went into it
}

func (r *run) session(check string) *session {
	return &session{run: r, check: check, level: Nodes}
}

// begin starts a new case, and drops the calls of the one before.
func (s *session) begin() { s.trail = nil }

// atLevel makes findings count at this level only, until the returned function is called.
func (s *session) atLevel(level Level) (end func()) {
	before := s.level
	if level == Document {
		s.level = Document
	}
	return func() { s.level = before }
}

// find records a finding.
func (s *session) find(level Level, op *operation, place, expected, got string) {
	if s.level == Document {
		level = Document
	}
	f := Finding{
		Check: s.check, Level: level, Operation: op.id, Place: legible(place),
		Expected: legible(expected), Got: legible(s.prober.redact(got)), Times: 1,
	}
	// The report shows how to replay the first of a cause. What a quiet session found is not in the report yet.
	if !s.known(f) && !(s.quiet && f.isAmong(s.found)) {
		if f.Replay = s.script; f.Replay == nil {
			f.Replay = s.prober.replay(s.trail)
		}
	}
	s.found = append(s.found, f)
	if !s.quiet {
		s.add(f)
	}
}

// send makes a call and checks its answer against the document. Without an answer, it
// records a finding that says why the call was made, and returns nil. A call that the end of the
// run cuts off leaves no finding.
func (s *session) send(ctx context.Context, c call, why string) *answer {
	if s.reason() != nil {
		return nil
	}
	a, err := s.ask(ctx, c)
	switch {
	case err != nil && (ctx.Err() != nil || s.reason() != nil), isRefusal(err):
		return nil
	case err != nil:
		s.unanswered(c, why, err)
		return nil
	}
	s.answered()
	s.judge(a)
	return a
}

// ask makes a call, and does not judge what becomes of it.
func (s *session) ask(ctx context.Context, c call) (*answer, error) {
	if why := s.reason(); why != nil {
		return nil, why
	}
	s.trail = append(s.trail, made{call: c, began: time.Now()})
	a, err := s.patiently(ctx, c)
	s.trail[len(s.trail)-1].ended = time.Now()
	switch {
	case err != nil && ctx.Err() != nil:
		s.stop(context.Cause(ctx))
	case err == nil && s.hasTurned(ctx, a):
		return nil, errTurned
	}
	return a, err
}

// maxThrottled is how often a call that gets 429 is repeated. maxWait is the longest wait
// before each repetition.
const (
	maxThrottled = 3
	maxWait      = 5 * time.Second
)

// patiently makes a call, and repeats it after a wait if the answer is 429. An
// orchestratord may limit its rate of calls.
func (s *session) patiently(ctx context.Context, c call) (*answer, error) {
	for tries := 0; ; tries++ {
		a, err := s.prober.send(ctx, c)
		if err != nil {
			return nil, err
		}
		if a.throttled = tries; a.status != http.StatusTooManyRequests {
			return a, nil
		}
		if tries == maxThrottled {
			s.stop(errThrottled)
			return a, nil
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			seconds = 1
		}
		s.judge(a)
		wait := min(time.Duration(seconds)*time.Second, maxWait)
		s.throttled.Add(1)
		s.waited.Add(int64(wait))
		s.pause(ctx, wait)
	}
}

// unanswered records that a call got no answer. After three in a row nobody is there.
func (s *session) unanswered(c call, why string, err error) {
	place := strings.TrimSpace("answer " + why)
	s.find(Nodes, c.op, place, "one, and all of it, within "+c.op.timeout().String(), "no whole answer: "+err.Error())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent++; s.silent >= 3 && s.stopped == nil {
		s.stopped = fmt.Errorf("orchestratord no longer answers: %w", err)
	}
}

func (s *session) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = 0
}

// expect makes a call that has to be answered with one of the statuses. It returns nil for
// any other answer.
func (s *session) expect(ctx context.Context, c call, why string, statuses ...int) *answer {
	a := s.send(ctx, c, why)
	if a == nil || slices.Contains(statuses, a.status) {
		return a
	}
	if a.status == http.StatusTooManyRequests {
		return nil // the run has stopped
	}
	s.find(Nodes, c.op, "status "+why, either(statuses), describeStatus(a))
	return nil
}

func either(statuses []int) string {
	text := ""
	for i, status := range statuses {
		switch {
		case i == 0:
		case i == len(statuses)-1:
			text += " or "
		default:
			text += ", "
		}
		text += fmt.Sprint(status)
	}
	return text
}

// describeStatus returns the status of an answer, with the reason in its body.
func describeStatus(a *answer) string {
	after := ""
	if a.throttled > 0 {
		after = " after 429, which says that nothing was done"
	}
	return fmt.Sprintf("%d%s%s", a.status, after, excerpt(a.body))
}

// pause waits, but no longer than ctx.
func (s *session) pause(ctx context.Context, d time.Duration) {
	if s.reason() != nil {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		s.stop(context.Cause(ctx))
	}
}

// add adds a finding to the report, or counts it with an earlier one of the same cause.
func (r *run) add(f Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, known := range r.report.all {
		if known.key() == f.key() {
			r.report.all[i].Times++
			return
		}
	}
	r.report.all = append(r.report.all, f)
	if r.options.FirstOnly && r.report.counts(f) {
		r.stopped = errors.Join(r.stopped, errEnough)
	}
}
