package twoway

import (
	"maps"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// identity finds interactions that cannot be distinguished: a verifier and a broker know one by
// its description and its states.
func (c *checker) identity(pact *pactfile.File) {
	seen := map[string]bool{}
	for i := range pact.Interactions {
		c.interaction = &pact.Interactions[i]
		if strings.TrimSpace(c.interaction.Description) == "" {
			c.add("/description", 0, "interaction %d has no description", i+1)
		}
		if key := keyOf(c.interaction); seen[key] {
			c.add("/description", 0, "the pact has another interaction of this description and these states")
		} else {
			seen[key] = true
		}
	}
}

// states finds states whose parameters differ from those in all other interactions with the
// same state: in their names, or in whether the request contains their values. It skips a
// state that fewer than two others share, since parameters may be optional.
func (c *checker) states(pact *pactfile.File) {
	for i := range pact.Interactions {
		c.interaction = &pact.Interactions[i]
		for _, state := range c.interaction.States {
			c.state(state, othersWith(state.Name, pact, c.interaction))
		}
	}
}

// use is a state of an interaction.
type use struct {
	params map[string]any
	given  map[string]bool // the texts of the request
}

func othersWith(name string, pact *pactfile.File, not *pactfile.Interaction) []use {
	var uses []use
	for i := range pact.Interactions {
		interaction := &pact.Interactions[i]
		for _, state := range interaction.States {
			if interaction != not && state.Name == name {
				uses = append(uses, use{state.Params, requestTexts(interaction)})
			}
		}
	}
	return uses
}

func (c *checker) state(state pactfile.State, others []use) {
	const enough = 2
	if len(others) < enough {
		return
	}
	have := slices.Sorted(maps.Keys(state.Params))
	want := slices.Sorted(maps.Keys(others[0].params))
	isOdd := func(u use) bool { return !slices.Equal(slices.Sorted(maps.Keys(u.params)), want) }
	if !slices.Equal(have, want) && !slices.ContainsFunc(others, isOdd) {
		c.add("/providerStates", 0, "the state %q has the parameters %v, and everywhere else %v", state.Name, have, want)
		return
	}
	given := requestTexts(c.interaction)
	for name, value := range state.Params {
		text, isText := value.(string)
		isElsewhere := func(u use) bool {
			other, isText := u.params[name].(string)
			return !isText || !u.given[other]
		}
		if isText && !given[text] && !slices.ContainsFunc(others, isElsewhere) {
			c.add("/providerStates", 0, "the state %q is about %s %q, which is not in the request", state.Name, name, text)
		}
	}
}

func requestTexts(interaction *pactfile.Interaction) map[string]bool {
	found := map[string]bool{}
	mention(found, requestValues(&interaction.Request)...)
	return found
}
