package mockserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// routes says what serves which path. A request that fits no operation is refused before it is
// asked for a token.
func (s *Server) routes(handlers controlapi.StrictServerInterface) *chi.Mux {
	router := chi.NewRouter()
	router.Use(s.correlate)
	if len(s.origins) > 0 {
		router.Use(s.shareAcrossOrigins)
	}
	if !s.uncontrolled {
		router.Use(divert(s.controlAPI(handlers)))
	}
	s.pages(router)
	router.NotFound(s.miss(s.noOperation))
	router.MethodNotAllowed(s.miss(s.noMethod(router)))
	strict := api.NewStrictHandlerWithOptions(operations{s}, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  unbindable,
		ResponseErrorHandlerFunc: setFailure,
	})
	api.HandlerWithOptions(strict, api.ChiServerOptions{
		BaseRouter:       router.With(s.serve),
		ErrorHandlerFunc: setFailure,
	})
	return router
}

// serve returns a handler for the calls of an operation. A call is written down before it is
// answered, even if it panics, and counted after that.
func (s *Server) serve(operation http.Handler) http.Handler {
	// The order is orchestratord's: 401, then 415, 413, 400 and 422, then 503, then 404.
	steps := []step{s.checkPath, noteHead, authenticate, s.checkRequest, checkProfile, perform(operation)}
	return s.hold(spec.Nodes, func(x *exchange) {
		defer s.record(x)
		defer s.releaseRoom(x)
		if err := s.guard.checkNodes(x); err != nil {
			s.fail(x, err)
			return
		}
		if s.faults.Idle() {
			s.take(x, s.checkAnswer, steps...)
			return
		}
		s.disturb(x, func() { s.take(x, s.checkAnswer, steps...) })
	}, s.measure)
}

// miss returns a handler for requests that fit no operation.
func (s *Server) miss(refuse step) http.HandlerFunc {
	return s.hold(spec.Nodes, func(x *exchange) {
		defer s.record(x)
		s.take(x, s.checkAnswer, refuse)
	}, nil).ServeHTTP
}

// checkPath refuses requests whose path lacks a parameter, as in //: the router takes it to be
// there.
func (s *Server) checkPath(x *exchange) error {
	if slices.Contains(x.route.URLParams.Values, "") {
		return s.noOperation(x)
	}
	return nil
}

// noOperation refuses requests that have the path of no operation of the node API.
func (s *Server) noOperation(x *exchange) error {
	s.notePath(x)
	return notFound(x)
}

// noMethod refuses requests that have the path of an operation, and not its method.
func (s *Server) noMethod(router *chi.Mux) step {
	refuse := methodNotAllowed(router)
	return func(x *exchange) error {
		s.noteMethod(router, x)
		return refuse(x)
	}
}

func notFound(x *exchange) error {
	return newProblem(nodeapi.ProblemCodeNotFound, "there is nothing at %q", quote(x.request, x.request.URL.Path))
}

// methodNotAllowed refuses requests that a router has for no other fault than their method.
func methodNotAllowed(router *chi.Mux) step {
	return func(x *exchange) error {
		allowed := methods(router, x.request)
		if len(allowed) == 0 { // the router does not look for the path when it does not know the method
			return notFound(x)
		}
		return newProblem(nodeapi.ProblemCodeMethodNotAllowed, "%s is not allowed here: use %s",
			quote(x.request, x.request.Method), strings.Join(allowed, " or ")).
			with("Allow", strings.Join(allowed, ", "))
	}
}

// methods returns the methods that the path of a request knows, in alphabetical order.
func methods(router *chi.Mux, r *http.Request) []string {
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
