//go:build pact

package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	inService := mockserver.WithDialect(mockserver.InService)
	stage.standard = newMock(t, inService, mockserver.WithTokens(token))
	stage.show(stage.standard)
	report := verify(t, committed, provider.Provider{URL: stage.url, Token: token, Arrange: map[string]func() func(){
		"no token is needed": stage.instead(newMock(t, inService)),
		"the cloud profile is switched off": stage.instead(newMock(
			t, inService, mockserver.WithTokens(token), mockserver.WithCloudProfile(false))),
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

// Each of these breaks the contract in one place, and the report names it.
func TestBrokenProviders(t *testing.T) {
	for _, test := range []struct {
		name        string
		change      func(request *http.Request, answer *recorded)
		description string // of an interaction that fails
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
					a.replace(`"node_id":"pact-node-`, `"node_id":"other-node-`)
				}
			},
			"a list of the nodes", `$.nodes[0].node_id: expected "pact-node-`,
		},
		{
			"the list has another status",
			func(r *http.Request, a *recorded) {
				if r.Method == http.MethodGet {
					a.replace(`"status":"Online"`, `"status":"online"`)
				}
			},
			"a list of the nodes", `$.nodes[0].status: expected "Online", listed is "online"`,
		},
		{
			"the list has a time that is no number",
			func(r *http.Request, a *recorded) {
				if r.Method == http.MethodGet {
					a.Body = bytes.NewBuffer(regexp.MustCompile(`("registered_at_ms":)(\d+)`).ReplaceAll(a.Body.Bytes(),
						[]byte(`$1"$2"`)))
				}
			},
			"a list of the nodes", `$.nodes[0].registered_at_ms: expected a value like 1759276800000, listed is "`,
		},
		{
			"the list lacks a field",
			func(r *http.Request, a *recorded) {
				if r.Method == http.MethodGet {
					a.replace(`"machine_id":`, `"machine":`)
				}
			},
			"a list of the nodes", `$.nodes[0].machine_id: it is missing, expected "pact-machine-1"`,
		},
		{
			"the list is empty",
			func(r *http.Request, a *recorded) {
				if r.Method == http.MethodGet && a.Code == http.StatusOK {
					a.Body = bytes.NewBufferString(`{"nodes":[],"count":0}`)
				}
			},
			"a list of the nodes", "$.nodes: the list is empty, expected {",
		},
		{
			"a heartbeat is refused, and says why",
			func(r *http.Request, a *recorded) {
				if strings.HasSuffix(r.URL.Path, "/heartbeat") && a.Code == http.StatusOK {
					a.Code, a.Body = http.StatusConflict, bytes.NewBufferString(
						`{"error": {"message": "the moon is full"}}`)
				}
			},
			"a heartbeat with one pool", "it was answered 409; its reason: the moon is full",
		},
		{
			"no Content-Type",
			func(r *http.Request, a *recorded) { a.Header()["Content-Type"] = nil },
			"a heartbeat with one pool", "Expected a header 'Content-Type' but was missing",
		},
		{
			"no call registers a node",
			func(_ *http.Request, a *recorded) {
				if strings.Contains(a.Body.String(), `"message"`) {
					a.Code = http.StatusCreated
				}
			},
			"a deregistration",
			`"the node is registered" cannot be brought about: POST /v2/nodes/register was answered 201, not 200; ` +
				`its reason: `,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := changed(t, test.change)
			report := verify(t, only(t, test.description), provider.Provider{URL: url, Token: token})
			found := report.Interactions[0]
			if report.Kept() || found.Result != results.Failed {
				t.Fatal("nothing was found")
			}
			if !strings.Contains(strings.Join(found.Details, "\n"), test.detail) {
				t.Errorf("the details are %q", found.Details)
			}
		})
	}
}

func TestUndecided(t *testing.T) {
	ok := newMock(t, mockserver.WithTokens(token))
	for _, test := range []struct {
		name    string
		pact    string
		handler http.Handler
		want    string
	}{
		{"no pact", "missing.json", ok, "missing.json"},
		{
			"a pact without interactions", rewritten(t,
				func(pact object) { pact["interactions"] = []any{} }), ok, "no interactions",
		},
		{"an unknown state", rewritten(t, func(pact object) {
			interaction(pact, 3)["providerStates"] = []any{object{"name": "the node is happy"}}
		}), ok, `the provider state "the node is happy"`},
		{"nothing but what is skipped", rewritten(t, func(pact object) {
			for _, each := range pact["interactions"].([]any) {
				each.(object)["providerStates"] = []any{object{"name": "no token is needed"}}
			}
		}), ok, "nothing was verified"},
		{
			"another token", committed, newMock(t, mockserver.WithTokens("another")),
			"401: it does not accept the token; its reason: the token is not valid",
		},
		{"the profile off", committed, newMock(t, mockserver.WithCloudProfile(false)), "503"},
		{"answers that cease", committed, dying(ok, 20), "got no answer"},
		{
			"an answer that ends early", committed, cutting(ok),
			"/heartbeat was answered 404, but without all of the body: unexpected EOF",
		},
		{
			"an answer that leads elsewhere", committed,
			http.RedirectHandler("https://login.example.com/?back="+token, http.StatusFound),
			"answers 302: it redirects, and no node follows: https://login.example.com/",
		},
		{
			"an answer that is no more HTTP", committed, switching(ok),
			"/heartbeat was answered 101, and then nothing that HTTP allows",
		},
		{"a request that Pact cannot send", rewritten(t, func(pact object) {
			interaction(pact, 0)["request"].(object)["headers"] = object{"X-Lines": []any{"one\ntwo"}}
		}), ok, "has not sent the request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			t.Cleanup(server.CloseClientConnections)
			report, err := provider.Verify(t.Context(), test.pact,
				provider.Provider{URL: server.URL, Token: token, AnswerTimeout: time.Minute})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), token) {
				t.Errorf("the error is %v, the report %v", err, report)
			}
		})
	}
	for _, url := range []string{
		"", "orchestratord:8080", "ftp://orchestratord", "http://user:password@orchestratord",
		"http://orchestratord?password@",
	} {
		if _, err := provider.Verify(t.Context(), committed, provider.Provider{URL: url}); err == nil ||
			strings.Contains(err.Error(), "password@") {
			t.Errorf("URL %q: the error is %v", url, err)
		}
	}
}

// An answer that never comes is waited for as long as the context lasts.
func TestUnanswered(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel(errors.New("enough"))
		<-r.Context().Done()
	}))
	t.Cleanup(server.CloseClientConnections)
	_, err := provider.Verify(ctx, committed,
		provider.Provider{URL: server.URL, Token: token, AnswerTimeout: time.Hour})
	if err == nil || !strings.Contains(err.Error(), "got no answer: enough") {
		t.Errorf("the error is %v", err)
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
	if report, err := provider.Verify(ctx, committed, provider.Provider{URL: server.URL, Token: token}); !errors.Is(err,
		context.Canceled) {
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

// switching is a handler that makes connections something else at heartbeats.
func switching(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/heartbeat") {
			handler.ServeHTTP(w, r)
			return
		}
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(connection,
				"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n")
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

type object = map[string]any

// interaction returns an interaction of a pact.
func interaction(pact object, n int) object { return pact["interactions"].([]any)[n].(object) }

// only writes a copy of the committed pact with one interaction alone, and returns its path.
func only(t *testing.T, description string) string {
	t.Helper()
	return rewritten(t, func(pact object) {
		pact["interactions"] = slices.DeleteFunc(pact["interactions"].([]any), func(i any) bool {
			return i.(object)["description"] != description
		})
	})
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
