package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Pact is a pact as the broker has it.
type Pact struct {
	// Name identifies the pact by its consumer and the consumer's version.
	Name string
	// Content is the pact file.
	Content []byte
	// Pending means that the provider need not keep the pact yet: no version of the
	// branch has kept it so far.
	Pending bool
	results string // where to publish
}

// Query says which pacts a provider asks for.
type Query struct {
	// Branch is the provider's own, empty if it has none.
	Branch string
	// Selectors select versions of consumers, each as the JSON object that Pact
	// documents. Nil selects their main branches, and what is deployed or released.
	Selectors []json.RawMessage
	// Pending asks which pacts are pending. The broker decides that by Branch.
	Pending bool
	// WIPSince asks for work in progress since a date as well, such as 2026-01-31.
	WIPSince string
}

func (q Query) request() map[string]any {
	request := map[string]any{
		"consumerVersionSelectors": []map[string]bool{{"mainBranch": true}, {"deployedOrReleased": true}},
	}
	if q.Selectors != nil {
		request["consumerVersionSelectors"] = q.Selectors
	}
	if q.Branch != "" {
		request["providerVersionBranch"] = q.Branch
	}
	if q.Pending {
		request["includePendingStatus"] = true
	}
	if q.WIPSince != "" {
		request["includeWipPactsSince"] = q.WIPSince
	}
	return request
}

// link is a link of the broker's.
type link struct {
	Href string `json:"href"`
	Name string `json:"name"`
}

// Pacts returns the pacts that a provider has to keep. Having none at all is an error.
func (b *Broker) Pacts(ctx context.Context, provider string, q Query) ([]Pact, error) {
	var answer struct {
		Embedded struct {
			Pacts []struct {
				Properties struct {
					Pending bool `json:"pending"`
				} `json:"verificationProperties"`
				Links struct {
					Self link `json:"self"`
				} `json:"_links"`
			} `json:"pacts"`
		} `json:"_embedded"`
	}
	where := b.base.JoinPath("pacts", "provider", url.PathEscape(provider), "for-verification")
	if err := b.call(ctx, http.MethodPost, where.String(), q.request(), &answer); err != nil {
		return nil, err
	}
	var pacts []Pact
	for _, listed := range answer.Embedded.Pacts {
		pact, err := b.pact(ctx, listed.Links.Self)
		if err != nil {
			return nil, err
		}
		pact.Pending = listed.Properties.Pending
		pacts = append(pacts, pact)
	}
	if len(pacts) == 0 {
		return nil, fmt.Errorf("the Pact Broker has no pact with %s", provider)
	}
	return pacts, nil
}

// Pact returns the pact at a URL, such as the one in a webhook call of the broker.
func (b *Broker) Pact(ctx context.Context, where string) (Pact, error) {
	return b.pact(ctx, link{Href: where, Name: where})
}

func (b *Broker) pact(ctx context.Context, self link) (Pact, error) {
	var content json.RawMessage
	if err := b.call(ctx, http.MethodGet, self.Href, nil, &content); err != nil {
		return Pact{}, err
	}
	var file struct {
		Consumer struct{ Name string }
		Links    struct {
			Results link `json:"pb:publish-verification-results"`
			Version link `json:"pb:consumer-version"`
		} `json:"_links"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return Pact{}, fmt.Errorf("pact %s: %w", self.Name, err)
	}
	name := cmp.Or(self.Name, self.Href)
	if version := file.Links.Version.Name; version != "" {
		name = fmt.Sprintf("%s, version %s", file.Consumer.Name, version)
	}
	return Pact{Name: name, Content: content, results: file.Links.Results.Href}, nil
}
