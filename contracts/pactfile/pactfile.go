// Package pactfile reads pact files of specification 4 as pact-go writes them,
// without the Pact library.
//
//	pact, err := pactfile.Read("contracts/pacts/pool-managerd-orchestratord.json")
//	if err != nil {
//		return err
//	}
//	for _, interaction := range pact.Interactions {
//		fmt.Println(interaction.Request.Method, interaction.Request.Path, interaction.Response.Status)
//	}
package pactfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Below, a field without a tag is called what the specification calls it, but for
// the case of its first letter, which encoding/json does not mind.

// File is what one consumer needs of one provider.
type File struct {
	Consumer     string
	Provider     string
	Interactions []Interaction // never empty
}

// Interaction is one request and the answer that the consumer counts on.
type Interaction struct {
	Type        string
	Description string
	States      []State `json:"providerStates"`
	Request     Request
	Response    Response
}

// State is something that has to hold at the provider before the request.
type State struct {
	Name   string
	Params map[string]any
}

// Request is the example of a request, and how a real one may differ from it.
type Request struct {
	Method  string
	Path    string
	Query   url.Values
	Headers http.Header
	Body    *Body
	Rules   Rules `json:"matchingRules"`
}

// Response is the example of an answer, and how a real one may differ from it.
// What it does not mention is not asked for.
type Response struct {
	Status  int
	Headers http.Header
	Body    *Body
	Rules   Rules `json:"matchingRules"`
}

// Read reads a pact file. It fails on one that it cannot judge as a whole: of
// another specification, about anything but HTTP, or without interactions.
func Read(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

func parse(data []byte) (*File, error) {
	type party struct {
		Name string
	}
	var pact struct {
		Consumer     party
		Provider     party
		Interactions []Interaction
		Metadata     struct {
			Specification struct {
				Version string
			} `json:"pactSpecification"`
		}
	}
	if err := json.Unmarshal(data, &pact); err != nil {
		return nil, err
	}
	if version := pact.Metadata.Specification.Version; !strings.HasPrefix(version, "4.") {
		return nil, fmt.Errorf("not a pact of specification 4: its version is %q", version)
	}
	if len(pact.Interactions) == 0 {
		return nil, errors.New("the pact has no interactions")
	}
	for _, interaction := range pact.Interactions {
		if interaction.Type != "Synchronous/HTTP" {
			return nil, fmt.Errorf("interaction %q is of type %q, not Synchronous/HTTP", interaction.Description, interaction.Type)
		}
	}
	return &File{Consumer: pact.Consumer.Name, Provider: pact.Provider.Name, Interactions: pact.Interactions}, nil
}
