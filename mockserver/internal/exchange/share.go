package exchange

import (
	"net/http"

	"github.com/rs/cors"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// Share returns what answers the questions of browsers whether pages of other origins may use the
// server.
func Share(origins []string) func(http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{
			http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut,
		},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{spec.Nodes().CorrelationHeader, "Retry-After"},
	}).Handler
}
