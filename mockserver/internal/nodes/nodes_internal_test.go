package nodes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestFaults has handlers do what no handler should. The client gets a 500 and none of
// the details, the log gets them.
func TestFaults(t *testing.T) {
	write := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		logged  string
	}{
		{"status that is not declared", write(418, "application/json", "{}"), "listNodes 418 at"},
		{"content type that is not declared", write(200, "text/html", "{}"), "text/html"},
		{"no JSON", write(200, "application/json", "{"), "unexpected end"},
		{"body that breaks the schema", write(200, "application/json", `{"nodes":[],"count":-1}`), "/count"},
		{
			"header that is missing", write(503, "application/problem+json", "{}"),
			`listNodes 503 at \"Retry-After\": must be there`,
		},
		{"header that breaks the schema", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "soon")
			write(503, "application/problem+json", "{}")(w, r)
		}, `listNodes 503 at \"Retry-After\": must be of type integer`},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "(got 0)"},
		{"panic", func(http.ResponseWriter, *http.Request) { panic("oh dear") }, "oh dear"},
		{"panic in the middle", func(w http.ResponseWriter, r *http.Request) {
			write(200, "application/json", `{"nodes":`)(w, r)
			panic(errors.New("oh dear"))
		}, "nodes_internal_test.go"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			got := fail(t, &log, test.handler)
			var p nodeapi.Problem
			if err := json.Unmarshal(got.Body.Bytes(), &p); err != nil {
				t.Fatalf("%v: %s", err, got.Body)
			}
			if got.Code != http.StatusInternalServerError || p.Code != nodeapi.ProblemCodeInternalError {
				t.Errorf("status %d, problem %+v", got.Code, p)
			}
			if got.Header().Get("X-Correlation-Id") == "" || got.Header().Get("Retry-After") != "" {
				t.Errorf("header %v", got.Header())
			}
			if strings.Contains(got.Body.String(), test.logged) {
				t.Errorf("the answer says too much: %s", got.Body)
			}
			if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), test.logged) {
				t.Errorf("the log lacks %q: %s", test.logged, log.String())
			}
		})
	}
}

func TestAbort(t *testing.T) {
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("recovered %v, want http.ErrAbortHandler to pass", cause)
		}
	}()
	fail(t, &bytes.Buffer{}, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// fail has a handler in place of an operation answer a request.
func fail(t *testing.T, log *bytes.Buffer, handler http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	strict := settings.Settings{Validation: control.ValidationStrict, CloudProfile: true}
	pool := exchange.NewPool(t.Context(), settings.NewStore(strict, nil), logger)
	api := &API{Config: Config{Log: logger}}
	router := chi.NewRouter()
	router.Get("/v2/nodes", exchange.Hold(documentOf, func(x *exchange.Exchange) {
		api.take(x, exchange.Perform(handler))
	}, nil).ServeHTTP)
	got := httptest.NewRecorder()
	x := pool.Begin(got, httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
	defer pool.End(x)
	router.ServeHTTP(got, x.Request)
	return got
}
