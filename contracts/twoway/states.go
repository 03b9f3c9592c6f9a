package twoway

import (
	"encoding/json"
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

// contradictions finds interactions with the same request and the same states, but different
// statuses: no provider can keep both.
func (c *checker) contradictions(pact *pactfile.File) {
	statuses := map[string]int{}
	for i := range pact.Interactions {
		c.interaction = &pact.Interactions[i]
		request := c.interaction.Request
		request.Rules = pactfile.Rules{}
		asked, err := json.Marshal([]any{request, c.interaction.States})
		if err != nil {
			continue // which no pact that was read gives
		}
		status := c.interaction.Response.Status
		if other, known := statuses[string(asked)]; known && other != status {
			c.add("/response/status", 0,
				"another interaction has the same request and states, and the status %d, not %d", other, status)
		}
		statuses[string(asked)] = status
	}
}

// states finds states whose parameters do not fit the request, as those of the other
// interactions with the same state do. It skips a state that fewer than two others share,
// since parameters may be optional.
func (c *checker) states(pact *pactfile.File) {
	for i := range pact.Interactions {
		c.interaction = &pact.Interactions[i]
		for _, state := range c.interaction.States {
			const enough = 2
			if others := othersWith(state.Name, pact, c.interaction); len(others) >= enough {
				c.state(state, others)
			}
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

// state compares the parameters of a state with those of others. A parameter is about the
// request if the requests of all others contain its value.
func (c *checker) state(state pactfile.State, others []use) {
	given := requestTexts(c.interaction)
	for _, name := range namesIn(state.Params, others) {
		values, about := valuesIn(others, name)
		value, there := state.Params[name]
		text, isText := value.(string)
		switch {
		case len(values) == 0:
			c.add("/providerStates", 0, "the state %q has the parameter %q, and nowhere else", state.Name, name)
		case !there && slices.ContainsFunc(values, func(text string) bool { return given[text] }):
			c.add("/providerStates", 0, "the state %q lacks the parameter %q, which it has everywhere else", state.Name,
				name)
		case there && about && isText && !given[text]:
			c.add("/providerStates", 0, "the state %q is about %s %q, which is not in the request", state.Name, name,
				text)
		}
	}
}

// namesIn returns the names of the parameters that a state has somewhere, in order.
func namesIn(params map[string]any, others []use) []string {
	names := slices.Collect(maps.Keys(params))
	for _, other := range others {
		names = slices.AppendSeq(names, maps.Keys(other.params))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// valuesIn returns the texts that a parameter has, and whether each is in its request. Values
// of other types are returned as empty texts.
func valuesIn(uses []use, name string) (values []string, about bool) {
	about = true
	for _, use := range uses {
		if value, there := use.params[name]; there {
			text, _ := value.(string)
			values, about = append(values, text), about && use.given[text]
		}
	}
	return values, about
}

func requestTexts(interaction *pactfile.Interaction) map[string]bool {
	found := map[string]bool{}
	mention(found, requestValues(&interaction.Request)...)
	return found
}
