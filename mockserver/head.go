package mockserver

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/document"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
)

// noteHead notes how a request departs from the document by what comes before its body. It
// refuses nothing: later steps refuse what they cannot use.
func (s *Server) noteHead(x *exchange) error {
	if r := x.request; x.settings.validation != Off {
		s.contract.checkQuery(x, r)
		s.contract.checkNodeID(x, r)
		s.contract.checkCorrelationID(x, r)
		checkCredentials(x, r)
		checkMedia(x, r)
	}
	return nil
}

// depart notes a departure of the request from the document.
func (x *exchange) depart(kind, at, expected, got string) {
	x.departures = append(x.departures, drift.Departure{
		Operation: x.operation, Pointer: at, Kind: kind, Expected: expected, Got: got,
	})
}

func (c *contract) checkQuery(x *exchange, r *http.Request) {
	if r.URL.RawQuery == "" {
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		x.depart(drift.Query, "?", "must be a query", "something else")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if x.declared.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) != nil {
			continue
		}
		if len(x.departures) == c.maxViolations {
			return
		}
		name = quote(r, name)
		x.depart(drift.Query, "?"+name, "must be a parameter that the contract names", inQuotes(name))
	}
}

func (c *contract) checkNodeID(x *exchange, r *http.Request) {
	if x.nodeID != "" {
		return
	}
	if id := pathParameter(r, c.nodeParameter.Name); id != "" {
		if err := c.check(c.nodeID, id); err != nil {
			x.depart(drift.Path, x.declared.pattern, "its id "+c.violations(err)[0].Detail, inQuotes(quote(r, id)))
		}
	}
}

func (c *contract) checkCorrelationID(x *exchange, r *http.Request) {
	name := c.correlationID.Name
	switch given := r.Header[name]; {
	case len(given) > 1:
		x.depart(drift.Header, name, "must be there once", fmt.Sprintf("%d times", len(given)))
	case len(given) == 1 && !wire.FitsCorrelationID(given[0]):
		if err := c.check(c.correlationID.Schema.Value, given[0]); err != nil {
			x.depart(drift.Header, name, c.violations(err)[0].Detail, inQuotes(quote(r, given[0])))
		}
	}
}

// checkCredentials looks at how a token is sent, not whether it is valid.
func checkCredentials(x *exchange, r *http.Request) {
	const name, expected = "Authorization", "must be Bearer and a token, once"
	switch given := r.Header[name]; {
	case len(given) > 1:
		x.depart(drift.Header, name, expected, fmt.Sprintf("%d times", len(given)))
	case len(given) == 1:
		if _, ok := bearer(given[0]); !ok {
			x.depart(drift.Header, name, expected, schemeOf(given[0]))
		}
	}
}

// schemeOf says how credentials are sent. A word that is no well-known scheme may be the
// secret itself.
func schemeOf(authorization string) string {
	scheme, _, _ := strings.Cut(authorization, " ")
	for _, known := range []string{"Basic", "Bearer", "Digest", "Negotiate", "NTLM", "DPoP", "Token", "ApiKey"} {
		if strings.EqualFold(scheme, known) {
			return known
		}
	}
	return "something else"
}

// checkMedia looks at the headers that say how to read the body, and whether there is a
// body where there should be none.
func checkMedia(x *exchange, r *http.Request) {
	var wrong *unfit
	if declared := x.declared.RequestBody; declared != nil {
		_, wrong = formOf(r, declared.Value.Content)
	} else if wrong = wrongEncoding(r); r.ContentLength != 0 {
		x.depart(drift.Undue, "", "must have no body", "one")
	}
	if wrong != nil {
		x.departures = append(x.departures, wrong.departure(x.operation))
	}
}

// notePath notes that a request departs from the document by its path, unless it cannot be a
// node's.
func (s *Server) notePath(x *exchange) {
	r := x.request
	if x.settings.validation == Off || fetchesByItself(r) || s.guard.checkBrowser(x) != nil {
		return
	}
	path := quote(r, r.URL.Path)
	expected := "must be a path that the contract names"
	if near := document.Nearest(path, s.contract.patterns()); near != "" {
		expected += ", perhaps " + inQuotes(near)
	}
	x.depart(drift.Path, path, expected, inQuotes(quote(r, r.Method)+" "+path))
}

// noteMethod notes that a request departs from the document by its method, if its path is
// one of the document's.
func (s *Server) noteMethod(router *chi.Mux, x *exchange) {
	r, path := x.request, ""
	if x.settings.validation == Off || s.guard.checkBrowser(x) != nil {
		return
	}
	allowed := methods(router, r)
	for _, method := range allowed {
		match := chi.NewRouteContext()
		router.Match(match, method, r.URL.EscapedPath())
		if pattern := match.RoutePattern(); path != r.URL.Path && slices.Contains(s.contract.patterns(), pattern) {
			path = pattern
		}
	}
	if path != "" {
		x.depart(drift.Method, path, "must be "+strings.Join(allowed, " or "), inQuotes(quote(r, r.Method)))
	}
}

// patterns returns the paths of the document.
func (c *contract) patterns() []string { return slices.Sorted(maps.Keys(c.paths.Map())) }
