//go:build pact

package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/provider"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/mockserver"
)

// The orchestratord in service is known not to throttle; all else it has to keep.
func TestOrchestratordInServiceKeepsThePact(t *testing.T) {
	stage := newStage(t)
	stage.standard = newInService(token, true)
	stage.show(stage.standard)
	report := verify(t, committed, provider.Provider{URL: stage.url, Token: token, Arrange: map[string]func() func(){
		"no token is needed":                stage.instead(newInService("", true)),
		"the cloud profile is switched off": stage.instead(newInService(token, false)),
	}})
	for _, i := range report.Interactions {
		want := results.Passed
		if i.States[0] == "there are too many requests" {
			want = results.Skipped
		}
		if i.Result != want {
			t.Errorf("%s: %s: %q", i.Result, i.Description, i.Details)
		}
	}
}

// The program needs no more than the URL of that orchestratord, and its token.
func TestProgramVerifiesOrchestratordInService(t *testing.T) {
	server := httptest.NewServer(newInService(token, true))
	t.Cleanup(server.Close)
	program := filepath.Join(t.TempDir(), "pact-verify")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "pact", "-o", program, "../../cmd/pact-verify").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	verify := exec.CommandContext(t.Context(), program, "--provider-url", server.URL, "--pact", committed)
	verify.Env = append(os.Environ(), "LLORCH_API_TOKEN="+token)
	for _, proxy := range []string{"http_proxy", "HTTP_PROXY", "ALL_PROXY"} { // which nobody reaches
		verify.Env = append(verify.Env, proxy+"=http://127.0.0.1:1", "NO_PROXY=elsewhere.test", "no_proxy=elsewhere.test")
	}
	out, err := verify.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "\n17 of 26 interactions passed, 0 failed, 9 skipped\n") {
		t.Errorf("pact-verify: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "Verifying a pact") {
		t.Errorf("the Pact library is heard:\n%s", out)
	}
}

// Each of these breaks the contract in one place, and the report names it.
func TestBrokenProviders(t *testing.T) {
	for _, test := range []struct {
		name        string
		change      func(request *http.Request, answer *recorded)
		description string // of the first interaction that fails
		detail      string
	}{
		{
			"a heartbeat of an unknown node is taken",
			func(r *http.Request, a *recorded) {
				if r.Method == http.MethodPost && a.Code == http.StatusNotFound {
					a.Code = http.StatusOK
				}
			},
			"a heartbeat of a node that is not registered", "expected 404 but was 200",
		},
		{
			"the interval is a string",
			func(_ *http.Request, a *recorded) {
				a.replace(`"next_heartbeat_ms":10000`, `"next_heartbeat_ms":"10000"`)
			},
			"a heartbeat with a pool that drains", "$.next_heartbeat_ms: ",
		},
		{
			"a deregistration is answered 200",
			func(_ *http.Request, a *recorded) {
				if a.Code == http.StatusNoContent {
					a.Code = http.StatusOK
				}
			},
			"a deregistration", "expected 204 but was 200",
		},
		{
			"a registration is not confirmed",
			func(r *http.Request, a *recorded) {
				if strings.HasSuffix(r.URL.Path, "/register") {
					a.replace(`"success":true`, `"success":false`)
				}
			},
			"a registration of a new node", "$.success: ",
		},
		{
			"the list has another node",
			func(r *http.Request, a *recorded) {
				if r.Method == http.MethodGet {
					a.replace(`"node_id":"pact-node-1"`, `"node_id":"pact-node-2"`)
				}
			},
			"a list of the nodes", "$.nodes: ",
		},
		{
			"no call registers a node",
			func(_ *http.Request, a *recorded) {
				if strings.Contains(a.Body.String(), `"message"`) {
					a.Code = http.StatusCreated
				}
			},
			"a deregistration", `"the node is registered" cannot be brought about: POST /v2/nodes/register was answered 201, not 200`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := verify(t, committed, provider.Provider{URL: changed(t, test.change), Token: token})
			if report.Kept() {
				t.Fatal("nothing was found")
			}
			for _, i := range report.Interactions {
				if i.Result != results.Failed || i.Description != test.description {
					continue
				}
				if !strings.Contains(strings.Join(i.Details, "\n"), test.detail) {
					t.Errorf("the details are %q", i.Details)
				}
				return
			}
			t.Errorf("%q has not failed", test.description)
		})
	}
}

func TestUndecided(t *testing.T) {
	ok := newMock(t, mockserver.WithTokens(token))
	unanswering := make(chan struct{})
	t.Cleanup(func() { close(unanswering) })
	for _, test := range []struct {
		name    string
		pact    string
		handler http.Handler
		want    string
	}{
		{"no pact", "missing.json", ok, "missing.json"},
		{"a pact without interactions", rewritten(t, func(pact object) { pact["interactions"] = []any{} }), ok, "no interactions"},
		{"an unknown state", rewritten(t, func(pact object) {
			interaction := pact["interactions"].([]any)[3].(object)
			interaction["providerStates"] = []any{object{"name": "the node is happy"}}
		}), ok, `the provider state "the node is happy"`},
		{"nothing but what is skipped", rewritten(t, func(pact object) {
			for _, each := range pact["interactions"].([]any) {
				each.(object)["providerStates"] = []any{object{"name": "no token is needed"}}
			}
		}), ok, "nothing was verified"},
		{"another token", committed, newMock(t, mockserver.WithTokens("another")), "does not accept the token"},
		{"the profile off", committed, newMock(t, mockserver.WithCloudProfile(false)), "503"},
		{"an answer that never comes", committed, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-unanswering }), "got no answer"},
		{"answers that cease", committed, dying(ok, 20), "got no answer"},
		{"an answer that stops", committed, halting(ok), "/heartbeat was answered 404, but without all of the body: context deadline exceeded"},
		{"an answer that ends early", committed, cutting(ok), "/heartbeat was answered 404, but without all of the body: unexpected EOF"},
		{"an answer that leads elsewhere", committed, http.RedirectHandler("https://login.example.com/?back="+token, http.StatusFound), "answers 302: it redirects to https://login.example.com/,"},
		{"a request that Pact cannot send", rewritten(t, func(pact object) {
			interaction := pact["interactions"].([]any)[0].(object)
			interaction["request"].(object)["headers"] = object{"X-Lines": []any{"one\ntwo"}}
		}), ok, "has not sent the request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			t.Cleanup(server.CloseClientConnections)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			report, err := provider.Verify(ctx, test.pact, provider.Provider{URL: server.URL, Token: token})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), token) {
				t.Errorf("the error is %v, the report %v", err, report)
			}
		})
	}
	for _, url := range []string{"", "orchestratord:8080", "ftp://orchestratord", "http://user:password@orchestratord"} {
		if _, err := provider.Verify(t.Context(), committed, provider.Provider{URL: url}); err == nil || strings.Contains(err.Error(), "password@") {
			t.Errorf("URL %q: the error is %v", url, err)
		}
	}
}

// Whoever gives up leaves no node behind.
func TestInterrupted(t *testing.T) {
	mock := newMock(t, mockserver.WithTokens(token))
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		mock.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK && strings.HasSuffix(r.URL.Path, "/heartbeat") {
			interrupt()
			<-r.Context().Done()
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	if report, err := provider.Verify(ctx, committed, provider.Provider{URL: server.URL, Token: token}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, the report %v", err, report)
	}
	request := httptest.NewRequest(http.MethodGet, "/v2/nodes", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	mock.ServeHTTP(answer, request)
	if !strings.Contains(answer.Body.String(), `"count":0`) {
		t.Errorf("nodes are left: %s", answer.Body)
	}
}

// dying is a handler that breaks connections after some requests.
func dying(handler http.Handler, requests int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests--; requests < 0 {
			panic(http.ErrAbortHandler)
		}
		handler.ServeHTTP(w, r)
	})
}

// halting is a handler that never ends its answers to heartbeats.
func halting(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/heartbeat") {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})
}

// cutting is a handler that promises more of its answers to heartbeats than it gives.
func cutting(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/heartbeat") {
			w.Header().Set("Content-Length", "1000")
		}
		handler.ServeHTTP(w, r)
	})
}

// recorded is an answer that can still be changed.
type recorded struct{ *httptest.ResponseRecorder }

func (r *recorded) replace(old, replacement string) {
	r.Body = bytes.NewBufferString(strings.ReplaceAll(r.Body.String(), old, replacement))
}

// changed serves the mock with its answers changed, and returns its URL.
func changed(t *testing.T, change func(*http.Request, *recorded)) string {
	mock := newMock(t, mockserver.WithTokens(token))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &recorded{httptest.NewRecorder()}
		mock.ServeHTTP(answer, r)
		change(r, answer)
		for name, values := range answer.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// rewritten writes a copy of the committed pact with a change, and returns its path.
func rewritten(t *testing.T, change func(object)) string {
	t.Helper()
	text, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	var pact object
	if err := json.Unmarshal(text, &pact); err != nil {
		t.Fatal(err)
	}
	change(pact)
	if text, err = json.Marshal(pact); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pact.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
