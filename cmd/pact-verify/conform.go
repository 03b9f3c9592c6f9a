//go:build pact

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/report"
)

// conformance tests orchestratord against the OpenAPI document, if that is asked for, and adds the results to a
// report.
func (s settings) conformance(ctx context.Context, whole *report.Report) error {
	if s.conform == "" {
		return nil
	}
	trust, err := cli.Trust(s.caCert)
	if err != nil {
		return err
	}
	seed := uint64(rand.Uint32())
	whole.Title += fmt.Sprintf("; conformance at level %s, with the seed %d", s.conform, seed)
	found, err := conformance.Run(ctx, conformance.Options{
		URL: s.providerURL, Token: s.token, TLS: trust, Time: timeLeft(ctx),
		Level: conformance.Level(s.conform), Seed: seed,
		Picture: "conformance.html",
	})
	if err != nil {
		return fmt.Errorf("conformance: %w", err)
	}
	whole.Suites = append(whole.Suites, found.Report(false).Suites...)
	return nil
}

// timeLeft returns how long it is until the deadline of a context, at least a millisecond.
func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return max(time.Until(deadline).Truncate(time.Millisecond), time.Millisecond)
}
