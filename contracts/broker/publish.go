package broker

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Verification is the result of verifying a pact.
type Verification struct {
	// Version is the version of the provider that was verified.
	Version string
	// BuildURL is the page of the build that verified it. It may be empty.
	BuildURL string
	Success  bool
	// Tests are the interactions that ran.
	Tests []Test
}

// Test is the result of one interaction.
type Test struct {
	Description string `json:"interactionDescription"`
	Success     bool   `json:"success"`
}

// Publish publishes the result of verifying a pact.
func (b *Broker) Publish(ctx context.Context, pact Pact, v Verification) error {
	if pact.results == "" {
		return fmt.Errorf("the Pact Broker takes no results for %s", pact.Name)
	}
	body := map[string]any{
		"success":                    v.Success,
		"providerApplicationVersion": v.Version,
		"testResults":                v.Tests,
		"verifiedBy":                 map[string]string{"implementation": "pact-verify"},
	}
	if v.BuildURL != "" {
		body["buildUrl"] = v.BuildURL
	}
	return b.call(ctx, http.MethodPost, pact.results, body, nil)
}

// Branch records the branch of a version of the provider.
func (b *Broker) Branch(ctx context.Context, provider, branch, version string) error {
	where := b.base.JoinPath("pacticipants", url.PathEscape(provider), "branches", url.PathEscape(branch), "versions",
		url.PathEscape(version))
	return b.call(ctx, http.MethodPut, where.String(), map[string]any{}, nil)
}
