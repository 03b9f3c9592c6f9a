package conformance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// token is that of the servers of these tests.
const token = "the-token-of-this-orchestratord-0123456789"

// TestMockConforms runs everything against the mock, in all ways that it can be.
func TestMockConforms(t *testing.T) {
	for name, dialect := range map[string][]mockserver.Option{
		"strict":        {mockserver.WithTokens(token)},
		"report":        {mockserver.WithTokens(token), mockserver.WithValidation(mockserver.Report)},
		"without token": {},
		"small times": {
			mockserver.WithTokens(token),
			mockserver.WithHeartbeatInterval(20 * time.Millisecond), mockserver.WithNodeTimeout(40 * time.Millisecond),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, level := range []conformance.Level{conformance.Nodes, conformance.Document} {
				if level == conformance.Document && name == "report" {
					continue // it takes what breaks the document
				}
				o := conformance.Options{URL: mocktest.Start(t, append(dialect, mockserver.WithLogger(nil))...).URL, Level: level}
				if name != "without token" {
					o.Token = token
				}
				conforms(t, o)
			}
		})
	}
}

// conforms runs everything, and fails the test with the report unless nothing was found.
func conforms(t *testing.T, o conformance.Options) *conformance.Report {
	t.Helper()
	report, err := conformance.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Report(false).Writers()["text"](&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if !report.Conforms() {
		t.Error("it does not conform")
	}
	return report
}
