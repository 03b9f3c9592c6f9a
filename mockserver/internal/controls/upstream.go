package controls

import (
	"fmt"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
)

// upstreamView returns the orchestratord that the mock stands in front of, or nil.
func (o operations) upstreamView() *control.Upstream {
	if o.Watch == nil {
		return nil
	}
	state := o.Watch.State()
	view := &control.Upstream{
		URL: o.Watch.Upstream.Where(), Drift: int64(len(o.Answers.Report().Entries)),
		Unlisted: &[]control.UnlistedNode{},
	}
	if !state.At.IsZero() {
		view.Listed, view.ListedAtMs = new(int64(state.Listed)), new(state.At.UnixMilli())
	}
	if state.Problem != "" {
		view.Problem = new(foreign.Cut(state.Problem, maxProblem))
	}
	for _, missing := range state.Missing[:min(len(state.Missing), maxUnlisted)] {
		*view.Unlisted = append(*view.Unlisted,
			control.UnlistedNode{NodeID: missing.ID, SinceMs: missing.Since.UnixMilli()})
	}
	return view
}

const (
	maxUnlisted = 1000
	maxProblem  = 1024 // characters
)

// refuseInFront refuses what cannot be done to a real orchestratord, if the mock stands in front of one.
func (o operations) refuseInFront(format string, args ...any) error {
	if o.Watch == nil {
		return nil
	}
	return exchange.NewProblem(exchange.CodeNotApplicable, "%s: the mock stands in front of the orchestratord at %s",
		fmt.Sprintf(format, args...), o.Watch.Upstream.Where())
}
