//go:build pact

package provider

import (
	"time"

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
	Details     []string // what is wrong, or why it was skipped
	Duration    time.Duration
}

func (i Interaction) ended(result results.Result, details ...string) Interaction {
	i.Result, i.Details = result, details
	return i
}

// Kept reports whether the pact is kept: nothing that ran has failed.
func (r *Report) Kept() bool {
	return r.count(results.Failed) == 0
}

// Results returns the report as the two-way check reads it.
func (r *Report) Results() *results.Results {
	outcome := &results.Results{Provider: r.Provider}
	for _, i := range r.Interactions {
		outcome.Interactions = append(outcome.Interactions, results.Interaction{
			Description:    i.Description,
			ProviderStates: i.States,
			Result:         i.Result,
		})
	}
	return outcome
}

func (r *Report) count(result results.Result) int {
	count := 0
	for _, i := range r.Interactions {
		if i.Result == result {
			count++
		}
	}
	return count
}
