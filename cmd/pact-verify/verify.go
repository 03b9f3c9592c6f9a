//go:build pact

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/llama-orch/node-registration/contracts/broker"
	"github.com/llama-orch/node-registration/contracts/provider"
	"github.com/llama-orch/node-registration/contracts/results"
)

// providerName is what pacts call the provider.
const providerName = "orchestratord"

// verify verifies all that there is to verify, and reports it. It returns errBroken
// when a contract is.
func verify(ctx context.Context, s settings, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	trust, err := s.trust()
	if err != nil {
		return err
	}
	orchestratord := provider.Provider{URL: s.providerURL, Token: s.token, TLS: trust}
	if s.brokerURL != "" {
		return verifyFromBroker(ctx, s, orchestratord, stdout)
	}
	report, err := provider.Verify(ctx, s.pact, orchestratord)
	if err != nil {
		return err
	}
	return s.judge(stdout, []*provider.Report{report}, nil)
}

// verifyFromBroker verifies the pacts that the broker has, and tells it the results. What
// goes wrong with one keeps no other from being verified, told and reported.
func verifyFromBroker(ctx context.Context, s settings, orchestratord provider.Provider, stdout io.Writer) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = orchestratord.TLS
	b, err := broker.New(s.brokerURL, s.brokerToken, transport)
	if err != nil {
		return err
	}
	pacts, err := b.Pacts(ctx, providerName, s.branch)
	if err != nil {
		return err
	}
	if s.publish && s.branch != "" {
		if err := b.Branch(ctx, providerName, s.branch, s.version); err != nil {
			return err
		}
	}
	var reports []*provider.Report
	var undone error
	for _, pact := range pacts {
		report, err := verifyContent(ctx, pact.Content, orchestratord)
		if err != nil {
			undone = errors.Join(undone, fmt.Errorf("%s: %w", pact.Name, err))
			continue
		}
		reports = append(reports, report)
		if s.publish {
			undone = errors.Join(undone, b.Publish(ctx, pact, verification(s.version, report)))
		}
	}
	return s.judge(stdout, reports, undone)
}

// verifyContent verifies a pact that is not in a file yet.
func verifyContent(ctx context.Context, content []byte, orchestratord provider.Provider) (*provider.Report, error) {
	file, err := os.CreateTemp("", "pact-*.json")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(content); err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return provider.Verify(ctx, file.Name(), orchestratord)
}

// verification is what the broker is told of a report. What was skipped is not in it.
func verification(version string, report *provider.Report) broker.Verification {
	v := broker.Verification{Version: version, Success: report.Kept()}
	for _, i := range report.Interactions {
		if i.Result != results.Skipped {
			v.Tests = append(v.Tests, broker.Test{Description: i.Description, Success: i.Result == results.Passed})
		}
	}
	return v
}

// judge writes the reports, each of them even when another cannot be written, and
// returns errBroken unless each contract is kept. What could not be done until then, or
// cannot be written, goes before that.
func (s settings) judge(stdout io.Writer, reports []*provider.Report, undone error) error {
	writers, err := parseReports(s.reports)
	if err != nil {
		return err
	}
	if s.results != "" {
		writers = append(writers, resultsFile(s.results))
	}
	for _, write := range writers {
		undone = errors.Join(undone, write(stdout, reports))
	}
	if undone != nil {
		return undone
	}
	for _, report := range reports {
		if !report.Kept() {
			return errBroken
		}
	}
	return nil
}

// trust returns whom to trust, nil for whom the system does.
func (s settings) trust() (*tls.Config, error) {
	if s.caCert == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.caCert)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", s.caCert)
	}
	return &tls.Config{RootCAs: pool}, nil
}
