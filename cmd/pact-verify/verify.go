//go:build pact

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/broker"
	"github.com/llama-orch/node-registration/contracts/provider"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/internal/regularfile"
)

// providerName is what pacts call the provider.
const providerName = "orchestratord"

const (
	// cleanupTime is how long it may take to remove the nodes of the run once it was interrupted.
	cleanupTime = 10 * time.Second
	// reportTime is how long it may take to report after that.
	reportTime = 3 * time.Second
)

// verify verifies all pacts, and reports the results. It returns cli.ErrBroken if a contract is
// broken. It returns at most 13 s after the time is over, even if something hangs. The Pact library
// cannot be interrupted, and neither can a write to a pipe without a reader.
func verify(ctx context.Context, s settings, stdout io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("the %v of --timeout are over", s.timeout))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- verifyAll(ctx, s, stdout) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(min(cleanupTime, s.timeout) + reportTime):
		return fmt.Errorf("%w; nodes may still be registered, with pact-node- or conform- in the name",
			context.Cause(ctx))
	}
}

func verifyAll(ctx context.Context, s settings, stdout io.Writer) error {
	trust, err := cli.Trust(s.caCert)
	if err != nil {
		return err
	}
	orchestratord := provider.Provider{URL: s.providerURL, Token: s.token, TLS: trust}
	if s.pact == "" {
		return verifyFromBroker(ctx, s, orchestratord, stdout)
	}
	content, err := regularfile.ReadShort(s.pact)
	if err != nil {
		return err
	}
	verified := outcome{name: s.pact}
	if verified.report, verified.err = provider.VerifyContent(ctx, content, orchestratord); verified.err == nil {
		verified.name = fmt.Sprintf("%s and %s", verified.report.Consumer, verified.report.Provider)
	}
	return s.write(ctx, stdout, []outcome{verified}, nil)
}

// verifyFromBroker verifies the pacts that the broker has, and publishes the results.
// A failure with one pact does not stop the others.
func verifyFromBroker(ctx context.Context, s settings, orchestratord provider.Provider, stdout io.Writer) error {
	b, err := s.broker(orchestratord.TLS)
	if err != nil {
		return err
	}
	pacts, err := s.pacts(ctx, b)
	if err != nil {
		return err
	}
	if s.publish && s.branch != "" {
		if err := b.Branch(ctx, providerName, s.branch, s.version); err != nil {
			return err
		}
	}
	var outcomes []outcome
	var undone error
	for _, pact := range pacts {
		report, err := provider.VerifyContent(ctx, pact.Content, orchestratord)
		outcomes = append(outcomes, outcome{name: pact.Name, report: report, err: err, pending: pact.Pending})
		if err == nil && s.publish {
			undone = errors.Join(undone, b.Publish(ctx, pact, s.verification(report)))
		}
	}
	return s.write(ctx, stdout, outcomes, undone)
}

// broker returns the broker at its URL, or at that of the one pact.
func (s settings) broker(trust *tls.Config) (*broker.Broker, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	base := s.brokerURL
	if u, err := url.Parse(s.pactURL); base == "" && err == nil {
		base = (&url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}).String()
	}
	return broker.New(base, s.brokerAuth, transport)
}

// pacts returns the one pact that is named, or all that the broker has.
func (s settings) pacts(ctx context.Context, b *broker.Broker) ([]broker.Pact, error) {
	if s.pactURL != "" {
		pact, err := b.Pact(ctx, s.pactURL)
		return []broker.Pact{pact}, err
	}
	query := broker.Query{Branch: s.branch, Pending: s.pending, WIPSince: s.wipSince}
	for _, selector := range s.selectors {
		query.Selectors = append(query.Selectors, json.RawMessage(selector))
	}
	return b.Pacts(ctx, providerName, query)
}

// verification converts a report for the broker. It leaves out skipped interactions. A
// pending pact that is not kept is published as failed.
func (s settings) verification(report *provider.Report) broker.Verification {
	v := broker.Verification{Version: s.version, BuildURL: s.buildURL, Success: report.Kept()}
	for _, i := range report.Interactions {
		if i.Result != results.Skipped {
			v.Tests = append(v.Tests, broker.Test{Description: i.Description, Success: i.Result == results.Passed})
		}
	}
	return v
}
