package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/internal/nearest"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// noteHead notes how a request departs from the document by what comes before its body. It
// refuses nothing: later steps refuse what they cannot use.
func noteHead(x *exchange.Exchange) error {
	if r := x.Request; x.IsChecked() {
		noteQuery(x, r)
		noteNodeID(x, r)
		noteCorrelationID(x, r)
		noteCredentials(x, r)
		noteMedia(x, r)
	}
	return nil
}

func note(x *exchange.Exchange, kind, at, expected, got string) {
	x.Depart(drift.Departure{Kind: kind, Pointer: at, Expected: expected, Got: got})
}

func noteQuery(x *exchange.Exchange, r *http.Request) {
	if r.URL.RawQuery == "" {
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		note(x, drift.Query, "?", "must be a query", "something else")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if x.Operation.HasQuery(name) {
			continue
		}
		if len(x.Departures) == spec.Nodes().MaxViolations {
			return
		}
		name = x.Quote(name)
		note(x, drift.Query, "?"+name, "must be a parameter that the contract names", spec.InQuotes(name))
	}
}

func noteNodeID(x *exchange.Exchange, r *http.Request) {
	if x.NodeID != "" {
		return
	}
	if id := spec.Nodes().NodeInPath(r); id != "" {
		note(x, drift.Path, x.Operation.Pattern, "its id "+spec.Nodes().CheckNodeID(id), spec.InQuotes(x.Quote(id)))
	}
}

func noteCorrelationID(x *exchange.Exchange, r *http.Request) {
	name := spec.Nodes().CorrelationHeader
	switch given := r.Header[name]; {
	case len(given) > 1:
		note(x, drift.Header, name, "must be there once", fmt.Sprintf("%d times", len(given)))
	case len(given) == 1:
		if wrong := spec.Nodes().CheckCorrelationID(given[0]); wrong != "" {
			note(x, drift.Header, name, wrong, spec.InQuotes(x.Quote(given[0])))
		}
	}
}

// noteCredentials looks at how a token is sent, not whether it is valid.
func noteCredentials(x *exchange.Exchange, r *http.Request) {
	const name, expected = "Authorization", "must be Bearer and a token, once"
	switch given := r.Header[name]; {
	case len(given) > 1:
		note(x, drift.Header, name, expected, fmt.Sprintf("%d times", len(given)))
	case len(given) == 1:
		if _, ok := exchange.Bearer(r.Header); !ok {
			note(x, drift.Header, name, expected, cmp.Or(exchange.Scheme(given[0]), "something else"))
		}
	}
}

// noteMedia looks at the headers that say how to read the body, and whether there is a
// body where there should be none.
func noteMedia(x *exchange.Exchange, r *http.Request) {
	if x.Operation.Bodies == nil && r.ContentLength != 0 {
		note(x, drift.Undue, "", "must have no body", "one")
	}
	if _, unfit := x.BodySchema(); unfit != nil {
		x.Depart(unfit.Departure())
	}
}

// notePath notes that a request departs from the document by its path, unless it cannot be a
// node's.
func (a *API) notePath(x *exchange.Exchange) {
	r := x.Request
	if !x.IsChecked() || exchange.FetchesByItself(r) || a.Guard.CheckBrowser(x) != nil {
		return
	}
	path := x.Quote(r.URL.EscapedPath()) // as it was sent
	expected := "must be a path that the contract names"
	if near := nearest.Name(path, spec.Nodes().Paths()); near != "" {
		expected += ", perhaps " + spec.InQuotes(near)
	}
	note(x, drift.Path, path, expected, spec.InQuotes(x.Quote(r.Method)+" "+path))
}

// noteMethod notes that a request departs from the document by its method, if its path is
// one of the document's, and reports whether it is. The path knows the methods that are allowed.
func (a *API) noteMethod(x *exchange.Exchange, allowed []string) bool {
	r, path := x.Request, ""
	if !x.IsChecked() || a.Guard.CheckBrowser(x) != nil {
		return false
	}
	for _, method := range allowed {
		match := chi.NewRouteContext()
		a.router.Match(match, method, r.URL.EscapedPath())
		if pattern := match.RoutePattern(); path != r.URL.Path && slices.Contains(spec.Nodes().Paths(), pattern) {
			path = pattern
		}
	}
	if path != "" {
		note(x, drift.Method, path, "must be "+strings.Join(allowed, " or "), spec.InQuotes(x.Quote(r.Method)))
	}
	return path != ""
}
