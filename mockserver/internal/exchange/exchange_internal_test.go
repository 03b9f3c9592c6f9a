package exchange

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// newPool returns a pool for a server that checks everything.
func newPool(t *testing.T) *Pool {
	store := settings.NewStore(settings.Settings{Validation: control.ValidationStrict}, nil)
	return NewPool(t.Context(), store, slog.New(slog.NewTextHandler(t.Output(), nil)))
}

// serve has a handler answer a request with an exchange.
func (p *Pool) serve(handler http.Handler, w http.ResponseWriter, r *http.Request) {
	x := p.Begin(w, r)
	defer p.End(x)
	handler.ServeHTTP(w, x.Request)
}

// TestNothingIsLeftOver serves requests that leave something in every field of their
// exchange, and every other time break off. None finds what one before it has left.
func TestNothingIsLeftOver(t *testing.T) {
	pool := newPool(t)
	router := chi.NewRouter()
	broken := 0
	router.Get("/v2/nodes", Hold(func(*Exchange) *spec.Document { return spec.Nodes() }, func(x *Exchange) {
		if len(x.RequestBody) > 0 || x.RequestBytes != 0 || x.Vetted || x.NodeID != "" || x.body.value != nil ||
			x.Fault != "" ||
			x.Remark != "" || x.Large || x.Departures != nil || x.failure != nil || x.transmit != nil ||
			x.rest != nil || x.status != 0 || len(x.Body()) > 0 || x.typed || len(x.header) != 2 {
			t.Errorf("left over: %+v", x)
		}
		_ = x.ReadBody(strings.NewReader("body"))
		x.DropBody()
		x.SetBody(x, true)
		x.NodeID, x.Fault, x.Remark, x.Large = "node", "fault", "remark", true
		x.Depart(drift.Departure{Kind: drift.Undue})
		x.SendBy(func(http.ResponseWriter) {})
		x.Header().Set("Left", "over")
		x.WriteHeader(http.StatusTeapot)
		SetFailure(x, x.Request, http.ErrAbortHandler)
		if broken++; broken%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	}, nil).ServeHTTP)
	for range 100 {
		func() {
			defer func() { _ = recover() }()
			pool.serve(router, httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
		}()
	}
	if broken != 100 {
		t.Errorf("%d requests were served", broken)
	}
}

// TestContextAfterTheEnd keeps the context of a request for longer than the request.
func TestContextAfterTheEnd(t *testing.T) {
	pool := newPool(t)
	router := chi.NewRouter()
	var kept context.Context
	router.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		if kept = r.Context(); In(kept) == nil {
			t.Error("there is no exchange")
		}
	})
	pool.serve(router, httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if In(kept) != nil || chi.RouteContext(kept) != nil {
		t.Error("the exchange of another request is within reach")
	}
}
