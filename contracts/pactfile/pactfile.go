// Package pactfile reads pact files of the specifications 2 to 4, without the Pact
// library. It converts older ones to specification 4.
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
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/utf8text"
	"github.com/llama-orch/node-registration/internal/wrongtype"
)

// Below, a field without a tag is called what the specification calls it. The case of its
// first letter differs, which encoding/json does not mind.

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
	// Pending means that the provider need not keep it yet.
	Pending  bool
	States   []State `json:"providerStates"`
	Request  Request
	Response Response
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

// Read reads a pact file. It fails if the file follows another specification, has
// interactions other than HTTP, or has none.
func Read(path string) (*File, error) {
	data, err := regularfile.ReadShort(path)
	if err != nil {
		return nil, err
	}
	file, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// Parse reads the content of a pact file, as Read does.
func Parse(data []byte) (*File, error) {
	type party struct {
		Name string
	}
	var pact struct {
		Consumer     party
		Provider     party
		Interactions []json.RawMessage
		Messages     []json.RawMessage // of specification 3
		Metadata     metadata
	}
	if err := json.Unmarshal(utf8text.Of(data), &pact); err != nil {
		return nil, fmt.Errorf("not a pact in JSON: %w", wrongtype.Explain(err))
	}
	version, err := pact.Metadata.version()
	switch {
	case err != nil:
		return nil, err
	case len(pact.Messages) > 0:
		return nil, errors.New("the pact is about messages, not HTTP")
	case len(pact.Interactions) == 0:
		return nil, errors.New("the pact has no interactions")
	}
	file := &File{Consumer: pact.Consumer.Name, Provider: pact.Provider.Name}
	for i, each := range pact.Interactions {
		interaction, err := parseInteraction(each, version)
		if err != nil {
			return nil, fmt.Errorf("interaction %d: %w", i+1, wrongtype.Explain(err))
		}
		file.Interactions = append(file.Interactions, interaction)
	}
	return file, nil
}

func parseInteraction(data []byte, version int) (Interaction, error) {
	var interaction Interaction
	if version < 4 {
		var err error
		if data, err = upgrade(data); err != nil {
			return interaction, err
		}
	}
	if err := json.Unmarshal(data, &interaction); err != nil {
		return interaction, err
	}
	interaction.Request.Method = strings.ToUpper(interaction.Request.Method) // some libraries write "get"
	if interaction.Type != "Synchronous/HTTP" {
		return interaction, fmt.Errorf("%q is of type %q, not Synchronous/HTTP", interaction.Description,
			interaction.Type)
	}
	return interaction, nil
}

// metadata holds the version of the specification that a pact follows. Each library writes it
// in its own way.
type metadata struct {
	Specification struct{ Version string } `json:"pactSpecification"`
	Older         struct{ Version string } `json:"pact-specification"`
	Oldest        string                   `json:"pactSpecificationVersion"`
}

func (m metadata) version() (int, error) {
	version := cmp.Or(m.Specification.Version, m.Older.Version, m.Oldest)
	major, _, _ := strings.Cut(version, ".")
	switch major {
	case "2", "3", "4":
		return strconv.Atoi(major)
	}
	return 0, fmt.Errorf("not a pact of the specifications 2 to 4: its version is %q", version)
}
