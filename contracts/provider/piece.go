//go:build pact

package provider

import (
	"encoding/json"
	"fmt"
	"os"
)

// split takes a pact file apart into pacts of one interaction each, in the same
// order. They have no provider states: Pact would have a server bring them about,
// pass by those that it does not know, and try for two minutes what has failed.
func split(file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var pact map[string]json.RawMessage
	var interactions []map[string]json.RawMessage
	if err := json.Unmarshal(text, &pact); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := json.Unmarshal(pact["interactions"], &interactions); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var pieces [][]byte
	for _, interaction := range interactions {
		delete(interaction, "providerStates")
		one, err := json.Marshal([]any{interaction})
		if err != nil {
			return nil, err
		}
		pact["interactions"] = one
		piece, err := json.Marshal(pact)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece)
	}
	return pieces, nil
}
