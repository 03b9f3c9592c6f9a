//go:build pact

package provider

import (
	"fmt"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/contracts/results"
)

// Report is what a verification found.
type Report struct {
	Consumer     string
	Provider     string
	URL          string // of the provider
	Interactions []Interaction
}

// Interaction is one interaction of the pact and what came of it.
type Interaction struct {
	Description string
	States      []string
	Result      results.Result
	Pending     bool     // whether the provider need not keep it yet
	Details     []string // what is wrong, or why it was skipped
	Duration    time.Duration
}

func (i Interaction) ended(result results.Result, details ...string) Interaction {
	i.Result, i.Details = result, details
	return i
}

// breaks reports whether the interaction breaks the pact.
func (i Interaction) breaks() bool { return i.Result == results.Failed && !i.Pending }

// Kept reports whether the pact is kept: nothing that ran has failed, pending
// interactions aside.
func (r *Report) Kept() bool {
	return !slices.ContainsFunc(r.Interactions, Interaction.breaks)
}

// Results returns the report as the two-way check reads it. Pending interactions that
// failed count as skipped.
func (r *Report) Results() *results.Results {
	outcome := &results.Results{Provider: r.Provider}
	for _, i := range r.Interactions {
		result := i.Result
		if result == results.Failed && i.Pending {
			result = results.Skipped
		}
		outcome.Interactions = append(outcome.Interactions, results.Interaction{
			Description:    i.Description,
			ProviderStates: append([]string{}, i.States...), // in JSON no list is null
			Result:         result,
		})
	}
	return outcome
}

// Title says what was verified, and where.
func (r *Report) Title() string {
	return fmt.Sprintf("What %s needs of %s, at %s", r.Consumer, r.Provider, r.URL)
}

// Suite returns the report as a suite of a name, to write it with others.
func (r *Report) Suite(name string) report.Suite {
	suite := report.Suite{Name: name}
	for _, i := range r.Interactions {
		c := report.Case{
			Name:     i.Description,
			Result:   report.Result(i.Result),
			Details:  i.Details,
			Duration: report.Seconds(i.Duration),
		}
		if i.Result == results.Failed && i.Pending {
			c.Result = report.Pending
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite
}
