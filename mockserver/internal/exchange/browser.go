package exchange

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// CheckNodes refuses calls of the node API that a browser sent for a stray page. While nodes
// need a token the name does not matter, since a page that rebinds one has none.
func (g Guard) CheckNodes(x *Exchange) error {
	err := g.CheckBrowser(x)
	if err != nil && len(x.Settings.Tokens) > 0 {
		return g.checkPage(x)
	}
	return err
}

// CheckBrowser refuses a request that a browser sent under a name which may be rebound, or for
// a page of another origin. Programs may use any name.
func (g Guard) CheckBrowser(x *Exchange) error {
	if header := x.Request.Header; !sentByBrowser(header) || g.sharesWith(header.Get("Origin")) {
		return nil
	}
	if err := g.checkHost(x); err != nil {
		return err
	}
	return g.checkPage(x)
}

// sentByBrowser reports whether a browser sent a request with these headers. Node.js sends one
// of them as well, Sec-Fetch-Mode: cors. A browser sends none of them for a page that was
// loaded neither over TLS nor from localhost, when it reads. But it says in which languages.
func sentByBrowser(header http.Header) bool {
	if header["Origin"] != nil || header["Sec-Fetch-Site"] != nil || header[secFetchDest] != nil {
		return true
	}
	if mode := header["Sec-Fetch-Mode"]; len(mode) > 0 && mode[0] != "cors" {
		return true
	}
	agent := header["User-Agent"]
	return len(agent) > 0 && strings.HasPrefix(agent[0], "Mozilla/") && header["Accept-Language"] != nil
}

const secFetchDest = "Sec-Fetch-Dest"

// FetchesByItself reports whether a browser requests something that it shows, such as a
// favicon. Requests of programs in a page do not count.
func FetchesByItself(r *http.Request) bool {
	destination := r.Header.Get(secFetchDest)
	return destination != "" && destination != "empty"
}

// sharesWith reports whether pages of an origin may use what nodes use.
func (g Guard) sharesWith(origin string) bool {
	return slices.Contains(g.shared, anyOrigin) || slices.Contains(g.shared, origin)
}

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
