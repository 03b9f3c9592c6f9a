package conformance

import (
	"context"
	"slices"
)

// shrinkCalls is how many calls shrinking may take, for all findings of a check. At 50 ms each they take 50 s, so
// that a run of two minutes has time for its other checks.
const shrinkCalls = 1000

// shrunk shrinks a sequence to a short one that still shows the first finding of its walk. It leaves out
// several steps after the other, then fewer and fewer, as long as the finding comes again. The others of the walk
// are of the same step: those that the short one shows too are taken from there.
func (s *session) shrunk(ctx context.Context, plan []step, found []Finding) []Finding {
	i := slices.IndexFunc(found, func(f Finding) bool { return s.report.counts(f) && !s.known(f) })
	if i < 0 || s.options.FirstOnly {
		return found
	}
	first := found[i]
	for size := (len(plan) + 1) / 2; size > 0; size /= 2 {
		for i := 0; i < len(plan) && s.shrinking < shrinkCalls; {
			fewer := slices.Delete(slices.Clone(plan), i, min(i+size, len(plan)))
			before := s.prober.calls.Load()
			again, _ := s.walk(ctx, fewer)
			s.shrinking += s.prober.calls.Load() - before
			if !first.isAmong(again.found) {
				i += size
				continue
			}
			plan, found = fewer, merged(found, again.found)
		}
	}
	return found
}

// merged returns findings, those that came again as they came then.
func merged(found, again []Finding) []Finding {
	found = slices.Clone(found)
	for i, f := range found {
		if at := slices.IndexFunc(again, func(other Finding) bool { return other.key() == f.key() }); at >= 0 {
			found[i] = again[at]
		}
	}
	return found
}

// known reports whether the report has a finding like this.
func (r *run) known(f Finding) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return f.isAmong(r.report.all)
}
