// Package pages serves what the mock has beside the operations of the documents, for people and for
// monitoring. That is the documents, the API reference, the dashboard, metrics and health.
package pages

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/go-chi/chi/v5"
	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/mockserver/dashboard"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/openapi"
)

// Config is what the pages show, and to whom.
type Config struct {
	Guard     exchange.Guard
	Metrics   http.Handler
	Dashboard bool // which shows nothing without a control API
}

// Mount adds the pages to a router. All of them are for reading, and take no token.
func Mount(router chi.Router, config Config) {
	page := func(path string, handler http.Handler) {
		handler = exchange.InPieces(quoteTags(handler))
		router.Method(http.MethodGet, path, handler)
		router.Method(http.MethodHead, path, handler)
	}
	page("/healthz", text("text/plain; charset=utf-8", []byte("ok")))
	page("/metrics", exchange.Page(config.Guard.CheckBrowser, config.Metrics))
	page("/openapi.yaml", text("application/yaml", openapi.Nodes))
	// Here one document finds the other, by the names that they have as files.
	page("/openapi/nodes.yaml", text("application/yaml", openapi.Nodes))
	page("/openapi/mock-control.yaml", text("application/yaml", openapi.MockControl))
	page("/openapi.json", onDemand(func() http.Handler { return text("application/json", documentJSON()) }))
	reference(page, config.Dashboard)
	if !config.Dashboard {
		dashboard.MountTheme(page)
		return
	}
	dashboard.Mount(func(path string, handler http.Handler) { page(path, exchange.Page(config.Guard.Check, handler)) })
}

// documentJSON returns the document as JSON. It takes for granted that this can be done:
// the document is compiled in, and no test would pass without it.
func documentJSON() []byte {
	var document any
	_ = yaml.Unmarshal(openapi.Nodes, &document)
	converted, _ := json.Marshal(document)
	return converted
}

// text returns a handler that answers with the same body each time.
func text(contentType string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body) // an error means that the client has gone
	})
}

// onDemand returns a handler that is made for its first request: tests start many
// servers, and few are asked for pages.
func onDemand(create func() http.Handler) http.Handler {
	handler := sync.OnceValue(create)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler().ServeHTTP(w, r)
	})
}
