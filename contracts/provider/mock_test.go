//go:build pact

package provider_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/provider"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/mockserver"
)

const (
	committed = "../pacts/pool-managerd-orchestratord.json"
	token     = "the-token-of-this-orchestratord-0123456789"
)

var resultsFile = flag.String("results", "", "file to write the results of the mock to, for nodecontract check")

// The mock is ours, so every state can be arranged, and nothing is skipped.
func TestMockKeepsThePact(t *testing.T) {
	stage := newStage(t)
	report := verify(t, committed, provider.Provider{URL: stage.url, Token: token, Arrange: stage.arrange()})
	pact, err := pactfile.Read(committed)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Interactions) != len(pact.Interactions) {
		t.Errorf("%d interactions of %d were verified", len(report.Interactions), len(pact.Interactions))
	}
	for _, i := range report.Interactions {
		if i.Result != results.Passed {
			t.Errorf("%s: %s: %q", i.Result, i.Description, i.Details)
		}
	}
	if *resultsFile != "" {
		if err := report.Results().Write(*resultsFile); err != nil {
			t.Error(err)
		}
	}
}

// A foreign orchestratord cannot be arranged: what that leaves out is named.
func TestMockAsAForeignProvider(t *testing.T) {
	report := verify(t, committed, provider.Provider{URL: newStage(t).url, Token: token})
	for _, i := range report.Interactions {
		unreachable := false
		for _, state := range i.States {
			switch state {
			case "the cloud profile is switched off", "there are too many requests", "no token is needed":
				unreachable = true
			}
		}
		want := results.Passed
		if unreachable {
			want = results.Skipped
		}
		if i.Result != want {
			t.Errorf("%s: %s: %q", i.Result, i.Description, i.Details)
		}
	}
}

func TestMockWithoutAToken(t *testing.T) {
	mock := newMock(t)
	server := httptest.NewServer(mock)
	t.Cleanup(server.Close)
	report := verify(t, committed, provider.Provider{URL: server.URL})
	for _, i := range report.Interactions {
		if i.Result == results.Failed {
			t.Errorf("%s: %q", i.Description, i.Details)
		}
	}
	if result := resultOf(t, report, "a registration without a token"); result != results.Passed {
		t.Errorf("a registration without a token: %s", result)
	}
	if result := resultOf(t, report, "a registration with a token that is not valid"); result != results.Skipped {
		t.Errorf("a registration with a token that is not valid: %s", result)
	}
}

// stage shows one of several mocks under one URL.
type stage struct {
	url      string
	standard http.Handler
	now      atomic.Pointer[http.Handler]
	t        *testing.T
}

func newStage(t *testing.T) *stage {
	s := &stage{standard: newMock(t, mockserver.WithTokens(token)), t: t}
	s.show(s.standard)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.now.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *stage) show(handler http.Handler) { s.now.Store(&handler) }

// arrange returns how the states come about that no call brings about.
func (s *stage) arrange() map[string]func() func() {
	throttled := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	return map[string]func() func(){
		"no token is needed": s.instead(newMock(s.t)),
		"the cloud profile is switched off": s.instead(newMock(s.t, mockserver.WithTokens(token),
			mockserver.WithCloudProfile(false))),
		"there are too many requests": s.instead(throttled),
	}
}

func (s *stage) instead(other http.Handler) func() func() {
	return func() func() {
		s.show(other)
		return func() { s.show(s.standard) }
	}
}

func newMock(t *testing.T, options ...mockserver.Option) *mockserver.Server {
	t.Helper()
	mock, err := mockserver.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	return mock
}

func verify(t *testing.T, pact string, p provider.Provider) *provider.Report {
	t.Helper()
	report, err := provider.Verify(t.Context(), pact, p)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func resultOf(t *testing.T, report *provider.Report, description string) results.Result {
	t.Helper()
	for _, i := range report.Interactions {
		if i.Description == description {
			return i.Result
		}
	}
	t.Fatalf("the report has no %q", description)
	return ""
}
