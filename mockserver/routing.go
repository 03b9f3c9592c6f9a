package mockserver

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// routes puts together what a request goes through, from the outside in. A request
// that fits no operation is turned away before it is asked for a token.
func (s *Server) routes() *chi.Mux {
	router := chi.NewRouter()
	router.Use(s.correlate)
	router.NotFound(s.checkAnswers(http.HandlerFunc(s.notFound)).ServeHTTP)
	router.MethodNotAllowed(s.checkAnswers(http.HandlerFunc(s.methodNotAllowed)).ServeHTTP)
	s.pages(router)
	strict := api.NewStrictHandlerWithOptions(operations{s}, nil, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  s.unbindable,
		ResponseErrorHandlerFunc: s.writeProblem,
	})
	api.HandlerWithOptions(strict, api.ChiServerOptions{
		BaseRouter:  router.With(s.measure, s.checkAnswers),
		Middlewares: []api.MiddlewareFunc{s.authenticate, s.checkRequest, s.checkProfile},
		// Parameters fail to bind only when a path lacks one, as in //.
		ErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, _ error) { s.notFound(w, r) },
	})
	return router
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.writeProblem(w, r, newProblem(nodeapi.ProblemCodeNotFound, "there is nothing at %q", cut(r.URL.Path, quoted)))
}

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	allowed := s.methods(r)
	if len(allowed) == 0 { // the router does not look for the path when it does not know the method
		s.notFound(w, r)
		return
	}
	s.writeProblem(w, r, newProblem(nodeapi.ProblemCodeMethodNotAllowed, "%s is not allowed here: use %s",
		cut(r.Method, quoted), strings.Join(allowed, " or ")).
		with("Allow", strings.Join(allowed, ", ")))
}

// methods returns the methods that the path of a request knows, in alphabetical order.
func (s *Server) methods(r *http.Request) []string {
	var known []string
	for _, method := range []string{
		http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions,
		http.MethodPatch, http.MethodPost, http.MethodPut,
	} {
		if s.router.Match(chi.NewRouteContext(), method, r.URL.EscapedPath()) {
			known = append(known, method)
		}
	}
	return known
}

// quoted is how many characters of what a client sent an answer repeats.
const quoted = 128
