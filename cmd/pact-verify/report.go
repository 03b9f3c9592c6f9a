//go:build pact

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/provider"
	"github.com/llama-orch/node-registration/contracts/report"
)

// outcome is the result of one pact.
type outcome struct {
	name    string           // of the pact
	report  *provider.Report // nil if it could not be verified
	err     error            // why it could not
	pending bool             // whether the provider need not keep it yet
}

// suite returns the outcome as a part of a report.
func (o outcome) suite() report.Suite {
	if o.err != nil {
		return report.Suite{Name: o.name, Cases: []report.Case{
			{Name: o.name, Result: report.Undecided, Details: []string{o.err.Error()}},
		}}
	}
	suite := o.report.Suite(o.name)
	for i := range suite.Cases {
		if c := &suite.Cases[i]; o.pending && c.Result == report.Failed {
			c.Result = report.Pending
		}
	}
	return suite
}

// write writes the reports, each of them even when another cannot be written, and
// returns cli.ErrBroken unless each contract is kept. What kept it from deciding, and what
// cannot be written, goes before that.
func (s settings) write(ctx context.Context, stdout io.Writer, outcomes []outcome, undone error) error {
	whole := report.Report{Title: title(s, outcomes), Unit: "interactions"}
	for _, o := range outcomes {
		whole.Suites = append(whole.Suites, o.suite())
		if o.err != nil {
			undone = errors.Join(undone, fmt.Errorf("%s: %w", o.name, o.err))
		}
	}
	if s.conform != "" {
		whole.Unit = "checks"
	}
	undone = errors.Join(undone, s.conformance(ctx, &whole))
	undone = errors.Join(undone, s.reports.Write(stdout, whole.Writers()))
	if decided := outcomes[0].report; s.results != "" && decided != nil {
		undone = errors.Join(undone, decided.Results().Write(s.results))
	}
	switch {
	case undone != nil:
		return undone
	case whole.Count(report.Failed) > 0:
		return cli.ErrBroken
	}
	return nil
}

// title says what was verified, and where. One pact of a broker is named with the version of
// its consumer; several are named one by one.
func title(s settings, outcomes []outcome) string {
	if one := outcomes[0]; len(outcomes) == 1 && one.report != nil {
		if s.pact == "" {
			return one.report.Title() + " (" + one.name + ")"
		}
		return one.report.Title()
	}
	what := "What consumers need of " + providerName
	if u, err := url.Parse(s.providerURL); err == nil && u.Host != "" && u.User == nil {
		what += fmt.Sprintf(", at %s://%s%s", u.Scheme, u.Host, u.Path)
	}
	return what
}
