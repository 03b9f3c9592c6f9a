package conformance

import (
	"context"
	"slices"
)

// shortest shrinks a sequence to the shortest one that still shows a finding. It leaves out several steps
// after the other, then fewer and fewer, as long as the finding comes again.
func (s *session) shortest(ctx context.Context, plan []step, f Finding) Finding {
	if s.known(f) || s.options.FirstOnly || !s.report.counts(f) {
		return f
	}
	for size := (len(plan) + 1) / 2; size > 0; size /= 2 {
		for i := 0; i < len(plan); {
			fewer := slices.Delete(slices.Clone(plan), i, min(i+size, len(plan)))
			again, _ := s.walk(ctx, fewer)
			at := slices.IndexFunc(again.found, func(other Finding) bool { return other.key() == f.key() })
			if at < 0 {
				i += size
				continue
			}
			plan, f = fewer, again.found[at]
		}
	}
	return f
}

// known reports whether the report has a finding like this.
func (r *run) known(f Finding) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.report.all, func(other Finding) bool { return other.key() == f.key() })
}
