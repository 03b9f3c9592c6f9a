package conformance_test

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/openapi"
)

// TestRangesOfMediaTypes_heavy has a document that states a range of media types for bodies.
func TestRangesOfMediaTypes_heavy(t *testing.T) {
	race.Skip(t)
	for _, inRange := range []string{`"*/*":`, `"application/*":`} {
		t.Run(inRange, func(t *testing.T) {
			document := strings.NewReplacer("application/json:", inRange, "application/problem+json:", inRange).
				Replace(string(openapi.Nodes))
			bubble(t, func(t *testing.T) {
				conforms(t, newMock(t, mockserver.WithTokens(token)), conformance.Options{
					Token: token, Document: []byte(document), Level: conformance.Document,
					Only: []string{"examples", "negative"},
				})
			})
		})
	}
}
