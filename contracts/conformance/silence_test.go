package conformance_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
)

// TestSilenceNeedsTheNodeTimeout shows that the check says so, also where it has checked the interval.
func TestSilenceNeedsTheNodeTimeout(t *testing.T) {
	for name, next := range map[string]int{"short interval": 10_000, "long interval": 40_000} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server := newForeign("", quirks{next: next, offline: 2 * time.Minute, accepts: anybody})
				o := conformance.Options{Only: []string{"silence"}, URL: memnet.URL, Dial: memnet.Serve(t, server)}
				if _, err := conformance.Run(t.Context(), o); !strings.Contains(fmt.Sprint(err), "--node-timeout") {
					t.Errorf("alone, it does not say what is missing: %v", err)
				}
				o.Only = append(o.Only, "pace")
				report := conforms(t, server, o)
				var text strings.Builder
				if err := report.Report(false).Writers()["text"](&text); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(text.String(), "skipped") || !strings.Contains(text.String(), "--node-timeout") {
					t.Errorf("it does not say that the check was skipped:\n%s", &text)
				}
			})
		})
	}
}

// TestSilenceLearnsTheInterval runs this check alone, which then has to ask for the interval itself.
func TestSilenceLearnsTheInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := newForeign("", quirks{next: 40_000, offline: 30 * time.Second, accepts: anybody})
		report, err := conformance.Run(t.Context(), conformance.Options{
			URL: memnet.URL, Dial: memnet.Serve(t, server), Only: []string{"silence"},
		})
		if said := said(report, err); !strings.Contains(said, "heartbeatNode: 200 body/next_heartbeat_ms") {
			t.Error(said)
		}
	})
}

// anybody accepts each call.
func anybody(*http.Request, string) bool { return true }
