// Package results reads and writes the file with the results of a provider verification. They
// are the interactions of a pact that it ran, and how each of them ended. The verification
// writes the file, and the two-way check reads it.
//
//	outcome := results.Results{Provider: "orchestratord"}
//	outcome.Interactions = append(outcome.Interactions, results.Interaction{
//		Description:    "a heartbeat of a registered node",
//		ProviderStates: []string{"a node is registered"},
//		Result:         results.Passed,
//	})
//	err := outcome.Write("verified.json")
package results

import (
	"encoding/json"
	"fmt"

	"github.com/llama-orch/node-registration/internal/atomicfile"
	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/wrongtype"
)

// Results are the results of one verification.
type Results struct {
	Provider     string        `json:"provider"`
	Interactions []Interaction `json:"interactions"`
}

// Interaction is the result of one interaction. Its description and the names of its
// provider states identify it.
type Interaction struct {
	Description    string   `json:"description"`
	ProviderStates []string `json:"providerStates"`
	Result         Result   `json:"result"`
}

// Result is how the verification of an interaction ended.
type Result string

// An interaction is skipped when the state it needs cannot be brought about at
// this provider.
const (
	Passed  Result = "passed"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// Read reads a file that Write has written.
func Read(path string) (*Results, error) {
	data, err := regularfile.ReadShort(path)
	if err != nil {
		return nil, err
	}
	var r Results
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: not results of pact-verify: %w", path, wrongtype.Explain(err))
	}
	for _, interaction := range r.Interactions {
		switch interaction.Result {
		case Passed, Failed, Skipped:
		default:
			return nil, fmt.Errorf("%s: interaction %q has the unknown result %q", path, interaction.Description,
				interaction.Result)
		}
	}
	return &r, nil
}

// Write writes the results to a file, whose content is replaced as a whole or stays.
func (r *Results) Write(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(data, '\n'), 0o644)
}
