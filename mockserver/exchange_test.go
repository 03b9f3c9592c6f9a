package mockserver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

func newServer(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestNothingIsLeftOver serves requests that leave something in every field of their
// exchange, and every other time break off. None finds what one before it has left.
func TestNothingIsLeftOver(t *testing.T) {
	s := newServer(t)
	router := chi.NewRouter()
	router.Use(s.correlate)
	s.router = router
	broken := 0
	router.Get("/v2/nodes", s.hold(spec.Nodes, func(x *exchange) {
		if len(x.requestBody) > 0 || x.input != nil || x.nodeID != "" || x.checked.value != nil || x.fault != "" || x.departures != nil || x.failure != nil ||
			x.transmit != nil || x.rest != nil || x.status != 0 || x.body.Len() > 0 || x.typed || len(x.answer.header) != 2 {
			t.Errorf("left over: %+v", x)
		}
		x.requestBody, _ = readAll(x.requestBody, strings.NewReader("body"))
		x.input, x.checked.value, x.nodeID, x.fault = x, x, "node", "fault"
		x.transmit = func(http.ResponseWriter) {}
		x.Header().Set("Left", "over")
		x.WriteHeader(http.StatusTeapot)
		setFailure(x, x.request, http.ErrAbortHandler)
		if broken++; broken%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	}, nil).ServeHTTP)
	for range 100 {
		func() {
			defer func() { _ = recover() }()
			s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
		}()
	}
	if broken != 100 {
		t.Errorf("%d requests were served", broken)
	}
}

// TestContextAfterTheEnd keeps the context of a request for longer than the request.
func TestContextAfterTheEnd(t *testing.T) {
	s := newServer(t)
	router := chi.NewRouter()
	s.router = router
	var kept context.Context
	router.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		if kept = r.Context(); exchangeIn(kept) == nil {
			t.Error("there is no exchange")
		}
	})
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if exchangeIn(kept) != nil || chi.RouteContext(kept) != nil {
		t.Error("the exchange of another request is within reach")
	}
}
