package exchange

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// LacksParameter reports whether the path of the request lacks a parameter, as in //: the router
// takes it to be there.
func (x *Exchange) LacksParameter() bool { return slices.Contains(x.Route.URLParams.Values, "") }

// NotFound refuses requests for what is not there.
func NotFound(x *Exchange) error {
	return NewProblem(nodeapi.ProblemCodeNotFound, "there is nothing at %q", x.Quote(x.Request.URL.EscapedPath()))
}

// MethodNotAllowed returns the step that refuses requests for no other fault than their method.
func MethodNotAllowed(router *chi.Mux) Step {
	return func(x *Exchange) error { return OtherMethod(x, Methods(router, x.Request)) }
}

// OtherMethod refuses requests for a path that knows these methods.
func OtherMethod(x *Exchange, allowed []string) error {
	if len(allowed) == 0 { // the router does not look for the path when it does not know the method
		return NotFound(x)
	}
	return NewProblem(nodeapi.ProblemCodeMethodNotAllowed, "%s is not allowed here: use %s",
		x.Quote(x.Request.Method), strings.Join(allowed, " or ")).
		With("Allow", strings.Join(allowed, ", "))
}

// Methods returns the methods that the path of a request knows, in alphabetical order.
func Methods(router *chi.Mux, r *http.Request) []string {
	var known []string
	for _, method := range []string{
		http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions,
		http.MethodPatch, http.MethodPost, http.MethodPut,
	} {
		if router.Match(chi.NewRouteContext(), method, r.URL.EscapedPath()) {
			known = append(known, method)
		}
	}
	return known
}
