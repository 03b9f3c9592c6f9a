package mockserver

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/internal/controls"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/nodes"
	"github.com/llama-orch/node-registration/mockserver/internal/pages"
)

// routing is what serves which path.
type routing struct {
	nodes    *nodes.API
	controls *chi.Mux // nil without a control API
	guard    exchange.Guard
	origins  []string // of pages that may use the server
}

// handler returns what serves all paths: those of the control API, those of nodes, and pages.
func (r routing) handler() http.Handler {
	router := chi.NewRouter()
	if len(r.origins) > 0 {
		router.Use(exchange.Share(r.origins))
	}
	if r.controls != nil {
		router.Use(divert(r.controls))
	}
	r.nodes.Mount(router)
	pages.Mount(router, pages.Config{Guard: r.guard, Metrics: r.nodes.MetricsPage(), Dashboard: r.controls != nil})
	return router
}

// divert takes requests to the control API that are at or below its first path.
func divert(api *chi.Mux) func(next http.Handler) http.Handler {
	root := controls.Root(api)
	below := root + "/"
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == root || strings.HasPrefix(r.URL.Path, below) {
				api.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
