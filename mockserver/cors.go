package mockserver

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// anyOrigin stands for all origins.
const anyOrigin = "*"

// WithCORS lets web pages of these origins use the server from a browser, the control API too.
// An origin is written as browsers do: scheme://host, and :port if it is not the scheme's.
// Given again, it adds to them.
//
// By default a request that a browser sends for a page of another origin gets 403. So does one
// for a page under a name that may be rebound to the server (DNS rebinding): see
// WithControlHosts. Programs may call the server by any name.
//
// With "*" every page may use what nodes use, which is unwise: any site that is open in a
// browser can then list nodes and remove them. The control API ignores "*".
func WithCORS(origins ...string) Option {
	return func(c *config) {
		for _, origin := range origins {
			c.origins = append(c.origins, strings.ToLower(origin))
		}
	}
}

// checkOrigin returns what is wrong with an origin, if anything.
func checkOrigin(origin string) error {
	if origin == anyOrigin {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin || strings.Contains(origin, "*") {
		return fmt.Errorf("origin %q: must be scheme://host or scheme://host:port, with nothing behind it, such as http://localhost:5173", origin)
	}
	return nil
}

// shareAcrossOrigins answers the questions of browsers whether pages of other origins may
// use the server.
func (s *Server) shareAcrossOrigins(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowedOrigins: s.origins,
		AllowedMethods: []string{
			http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut,
		},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{spec.Nodes().CorrelationHeader, "Retry-After"},
	}).Handler(next)
}
