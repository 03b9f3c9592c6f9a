package twoway

import (
	"maps"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/results"
)

// Verified counts the results of interactions.
type Verified struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
}

// verification is the results of a verification by interaction; nil for none.
type verification map[string]results.Result

func newVerification(r *results.Results) verification {
	if r == nil {
		return nil
	}
	v := verification{}
	for _, interaction := range r.Interactions {
		v[key(interaction.Description, interaction.ProviderStates)] = interaction.Result
	}
	return v
}

// key identifies an interaction, as Pact does.
func key(description string, states []string) string {
	return strings.Join(append([]string{description}, states...), "\x00")
}

func keyOf(interaction *pactfile.Interaction) string {
	var states []string
	for _, state := range interaction.States {
		states = append(states, state.Name)
	}
	return key(interaction.Description, states)
}

func (v verification) count(interactions []*pactfile.Interaction) *Verified {
	if v == nil || len(interactions) == 0 {
		return nil
	}
	var count Verified
	for _, interaction := range interactions {
		switch v[keyOf(interaction)] {
		case results.Passed:
			count.Passed++
		case results.Failed:
			count.Failed++
		case results.Skipped:
			count.Skipped++
		}
	}
	return &count
}

// leftOpen finds what the verification left open. A skipped interaction is no finding, because
// some states cannot be set up at every provider.
func (v verification) leftOpen(pact *pactfile.File) []Finding {
	if v == nil {
		return nil
	}
	var findings []Finding
	unknown := maps.Clone(v)
	for i := range pact.Interactions {
		interaction := &pact.Interactions[i]
		message := ""
		switch v[keyOf(interaction)] {
		case results.Failed:
			message = pact.Provider + " does not keep it"
		case "":
			message = "the verification of " + pact.Provider + " has no result for it"
		}
		if message != "" {
			findings = append(findings, Finding{Interaction: interaction.Description, Message: message})
		}
		delete(unknown, keyOf(interaction))
	}
	for _, stray := range slices.Sorted(maps.Keys(unknown)) {
		description, _, _ := strings.Cut(stray, "\x00")
		findings = append(findings,
			Finding{Interaction: description, Message: "it was verified, but the pact does not have it"})
	}
	return findings
}
