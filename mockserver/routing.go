package mockserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// routes puts together what a request goes through, from the outside in. A request
// that fits no operation is turned away before it is asked for a token.
func (s *Server) routes(handlers controlapi.StrictServerInterface) *chi.Mux {
	router := chi.NewRouter()
	router.Use(s.correlate)
	if len(s.origins) > 0 {
		router.Use(s.shareAcrossOrigins)
	}
	if !s.uncontrolled {
		router.Use(divert(s.controlAPI(handlers)))
	}
	router.NotFound(s.send(s.record(s.checkAnswers(http.HandlerFunc(s.noOperation)))).ServeHTTP)
	router.MethodNotAllowed(s.send(s.record(s.checkAnswers(s.methodNotAllowed(router)))).ServeHTTP)
	s.pages(router)
	strict := api.NewStrictHandlerWithOptions(operations{s}, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  s.unbindable,
		ResponseErrorHandlerFunc: s.writeProblem,
	})
	api.HandlerWithOptions(strict, api.ChiServerOptions{
		BaseRouter: router.With(
			s.measure, s.send, s.record, s.guardNodes, s.disturb, s.checkAnswers,
			s.checkPath, s.checkHead, s.authenticate, s.checkRequest, s.checkProfile),
		ErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, _ error) { s.noOperation(w, r) },
	})
	return router
}

// checkPath turns requests away whose path lacks a parameter, as in //: the router takes
// it to be there.
func (s *Server) checkPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(exchangeOf(r).route.URLParams.Values, "") {
			s.noOperation(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// noOperation refuses requests that have the path of no operation of the node API.
func (s *Server) noOperation(w http.ResponseWriter, r *http.Request) {
	s.notePath(r)
	s.notFound(w, r)
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.writeProblem(w, r, newProblem(nodeapi.ProblemCodeNotFound, "there is nothing at %q", quote(r, r.URL.Path)))
}

// methodNotAllowed refuses requests that a router has for no other fault than their method.
func (s *Server) methodNotAllowed(router *chi.Mux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowed := methods(router, r)
		if len(allowed) == 0 { // the router does not look for the path when it does not know the method
			s.notFound(w, r)
			return
		}
		s.noteMethod(router, r, allowed)
		s.writeProblem(w, r, newProblem(nodeapi.ProblemCodeMethodNotAllowed, "%s is not allowed here: use %s",
			quote(r, r.Method), strings.Join(allowed, " or ")).
			with("Allow", strings.Join(allowed, ", ")))
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
