//go:build pact

package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/report"
)

// conformance tests orchestratord against the OpenAPI document, if that is asked for. It
// returns the results as suites of a report.
func (s settings) conformance(ctx context.Context) ([]report.Suite, error) {
	if s.conform == "" {
		return nil, nil
	}
	trust, err := cli.Trust(s.caCert)
	if err != nil {
		return nil, err
	}
	found, err := conformance.Run(ctx, conformance.Options{
		URL: s.providerURL, Token: s.token, TLS: trust,
		Level: conformance.Level(s.conform), Seed: uint64(rand.Uint32()),
		Picture: "conformance.html",
	})
	if err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	return found.Report(false).Suites, nil
}
