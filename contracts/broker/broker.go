// Package broker gets pacts from a Pact Broker, and tells it how their verification
// went.
//
//	b, err := broker.New("https://pacts.example.com", os.Getenv("PACT_BROKER_TOKEN"), nil)
//	if err != nil {
//		return err
//	}
//	pacts, err := b.Pacts(ctx, "orchestratord", "main")
//	for _, pact := range pacts {
//		...
//		err = b.Publish(ctx, pact, broker.Verification{Version: "1.2.3", Success: true})
//	}
//
// What a version may be deployed with is for the broker's own command line to ask.
package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Broker is a Pact Broker.
type Broker struct {
	base   *url.URL
	token  string
	client *http.Client
}

// Pact is a pact as the broker has it.
type Pact struct {
	// Name says which one it is.
	Name string
	// Content is the pact file.
	Content []byte
	results string // where to publish
}

// Verification is what came of the verification of a pact.
type Verification struct {
	// Version is the version of the provider that was verified.
	Version string
	Success bool
	// Tests are the interactions that ran.
	Tests []Test
}

// Test is what came of one interaction.
type Test struct {
	Description string `json:"interactionDescription"`
	Success     bool   `json:"success"`
}

// patience is how long the broker may take for one answer.
const patience = 20 * time.Second

// maxAnswer bounds what is read of an answer; a pact takes some kilobytes.
const maxAnswer = 16 << 20

// New returns a broker that is called with a bearer token, or without one if it is
// empty. A nil transport means http.DefaultTransport.
func New(base, token string, transport http.RoundTripper) (*Broker, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("the URL of the Pact Broker is not an http or https URL with a host")
	case u.User != nil:
		return nil, errors.New("the URL of the Pact Broker holds credentials: give the token instead")
	}
	return &Broker{base: u, token: token, client: &http.Client{Transport: transport, Timeout: patience}}, nil
}

// link is a link of the broker's.
type link struct {
	Href string `json:"href"`
	Name string `json:"name"`
}

// Pacts returns the pacts that a provider has to keep: those of its consumers' main
// branches, and of their versions that are in use. The branch is the provider's
// own, empty if it has none. Having none at all is an error.
func (b *Broker) Pacts(ctx context.Context, provider, branch string) ([]Pact, error) {
	request := map[string]any{
		"consumerVersionSelectors": []map[string]bool{{"mainBranch": true}, {"deployedOrReleased": true}},
	}
	if branch != "" {
		request["providerVersionBranch"] = branch
	}
	var answer struct {
		Embedded struct {
			Pacts []struct {
				Links struct {
					Self link `json:"self"`
				} `json:"_links"`
			} `json:"pacts"`
		} `json:"_embedded"`
	}
	where := b.base.JoinPath("pacts", "provider", url.PathEscape(provider), "for-verification")
	if err := b.call(ctx, http.MethodPost, where.String(), request, &answer); err != nil {
		return nil, err
	}
	var pacts []Pact
	for _, listed := range answer.Embedded.Pacts {
		pact, err := b.pact(ctx, listed.Links.Self)
		if err != nil {
			return nil, err
		}
		pacts = append(pacts, pact)
	}
	if len(pacts) == 0 {
		return nil, fmt.Errorf("the Pact Broker has no pact with %s", provider)
	}
	return pacts, nil
}

func (b *Broker) pact(ctx context.Context, self link) (Pact, error) {
	var content json.RawMessage
	if err := b.call(ctx, http.MethodGet, self.Href, nil, &content); err != nil {
		return Pact{}, err
	}
	var links struct {
		Links struct {
			Results link `json:"pb:publish-verification-results"`
		} `json:"_links"`
	}
	if err := json.Unmarshal(content, &links); err != nil {
		return Pact{}, fmt.Errorf("pact %s: %w", self.Name, err)
	}
	return Pact{Name: self.Name, Content: content, results: links.Links.Results.Href}, nil
}

// Publish tells the broker what came of the verification of a pact.
func (b *Broker) Publish(ctx context.Context, pact Pact, v Verification) error {
	if pact.results == "" {
		return fmt.Errorf("the Pact Broker takes no results for %s", pact.Name)
	}
	return b.call(ctx, http.MethodPost, pact.results, map[string]any{
		"success":                    v.Success,
		"providerApplicationVersion": v.Version,
		"testResults":                v.Tests,
		"verifiedBy":                 map[string]string{"implementation": "pact-verify"},
	}, nil)
}

// Branch tells the broker which branch a version of the provider is of.
func (b *Broker) Branch(ctx context.Context, provider, branch, version string) error {
	where := b.base.JoinPath("pacticipants", url.PathEscape(provider), "branches", url.PathEscape(branch), "versions", url.PathEscape(version))
	return b.call(ctx, http.MethodPut, where.String(), map[string]any{}, nil)
}

// call makes one call. The token goes to the broker alone, wherever its links lead.
func (b *Broker) call(ctx context.Context, method, where string, body, answer any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, where, content)
	if err != nil {
		return fmt.Errorf("a link of the Pact Broker cannot be followed: %w", err)
	}
	request.Header.Set("Accept", "application/hal+json, application/json")
	request.Header.Set("Content-Type", "application/json")
	if b.token != "" && request.URL.Scheme == b.base.Scheme && request.URL.Host == b.base.Host {
		request.Header.Set("Authorization", "Bearer "+b.token)
	}
	response, err := b.client.Do(request)
	if err != nil {
		return fmt.Errorf("the Pact Broker does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("the Pact Broker answers %s %s with %d", method, request.URL.Redacted(), response.StatusCode)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("the Pact Broker's answer to %s %s cannot be read: %w", method, request.URL.Redacted(), err)
	}
	return nil
}
