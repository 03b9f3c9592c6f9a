package controls

import (
	"fmt"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
)

// upstreamView returns the orchestratord that the mock stands in front of, or nil.
func (o operations) upstreamView() *control.Upstream {
	if o.Upstream == nil {
		return nil
	}
	return &control.Upstream{URL: o.Upstream.Where(), Drift: int64(len(o.Answers.Report().Entries))}
}

// own refuses to change what is the own of the orchestratord that the mock stands in front of, if
// it does.
func (o operations) own(format string, args ...any) error {
	if o.Upstream == nil {
		return nil
	}
	return exchange.NewProblem(exchange.CodeNotApplicable, "%s: the mock stands in front of the orchestratord at %s",
		fmt.Sprintf(format, args...), o.Upstream.Where())
}
