//go:build pact

package provider

import (
	"encoding/json"
	"errors"
	"fmt"
)

// split splits a pact into pacts of one interaction each, in the same order. It removes the
// provider states: Pact would call a server for them, ignore unknown ones, and retry a
// failure for two minutes. It also removes the pending mark, which this package handles.
func split(pact []byte) ([][]byte, error) {
	var file map[string]json.RawMessage
	var interactions []map[string]any
	if err := json.Unmarshal(pact, &file); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(file["interactions"], &interactions); err != nil {
		return nil, err
	}
	var pieces [][]byte
	for _, interaction := range interactions {
		for _, name := range []string{"providerStates", "providerState", "provider_state", "pending"} {
			delete(interaction, name)
		}
		if err := useExamples(interaction); err != nil {
			return nil, fmt.Errorf("%q: %w", interaction["description"], err)
		}
		one, err := json.Marshal([]any{interaction})
		if err != nil {
			return nil, err
		}
		file["interactions"] = one
		piece, err := json.Marshal(file)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece)
	}
	return pieces, nil
}

// useExamples removes generators that take values from provider states: the examples
// have them already. Other generators of a path could make it the path of any node.
func useExamples(interaction map[string]any) error {
	for _, name := range []string{"request", "response"} {
		message, _ := interaction[name].(map[string]any)
		if status, stated := message["status"]; stated && status == nil { // which the Pact library cannot take
			return errors.New("the status of its response is null")
		}
		generators, _ := message["generators"].(map[string]any)
		for part, value := range generators {
			rules, _ := value.(map[string]any)
			if part == "path" || part == "status" {
				rules = generators
			}
			for key, rule := range rules {
				if fields, _ := rule.(map[string]any); fields["type"] == "ProviderState" {
					delete(rules, key)
				}
			}
		}
		if name == "request" && generators["path"] != nil {
			return errors.New("its path is generated, so it could be about any node")
		}
	}
	return nil
}
