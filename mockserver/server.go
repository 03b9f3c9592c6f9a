// Package mockserver is an orchestratord for tests and for trying things out: it
// keeps the registry of nodes as the OpenAPI document says, and nothing else. It
// holds requests and its own answers to the document, and tells a client in problem
// details (RFC 9457) what is wrong with a request.
//
//	server, err := mockserver.New(mockserver.WithTokens("secret"))
//	if err != nil {
//		return err
//	}
//	defer server.Close()
//	return http.ListenAndServe("127.0.0.1:8080", server)
//
// In a Go test, package mocktest starts one in one line. As a program it is
// cmd/mock-orchestratord.
package mockserver

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/registry"
)

// Server is a mock orchestratord. It serves any number of requests at once.
type Server struct {
	config
	contract *contract
	nodes    *registry.Registry
	metrics  *metrics
	drift    drift.Record
	watch    *watch
	router   *chi.Mux
}

// New returns a server without nodes. Without options it takes every call, asks for
// a heartbeat every 10 s (CLOUD-2011) and marks a node offline after 30 s without one
// (CLOUD-2013). The error lists everything that is wrong with the options.
//
// Close ends what the server does in the background.
func New(options ...Option) (*Server, error) {
	contract, err := loadContract()
	if err != nil {
		return nil, err
	}
	config, err := newConfig(contract, options)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, contract: contract, nodes: registry.New(config.nodeTimeout)}
	s.watch = &watch{nodes: s.nodes, clock: s.clock, report: s.logOffline}
	s.metrics = newMetrics(s.nodes, contract)
	s.router = s.routes()
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.router.ServeHTTP(w, r)
}

// Nodes returns what the server knows of its nodes, ordered by id.
func (s *Server) Nodes() []registry.Node {
	return s.nodes.Nodes()
}

// Drift returns how the requests so far departed from the contract, the refused ones
// too. With validation Off nothing is looked for.
func (s *Server) Drift() drift.Report {
	return s.drift.Report()
}

// Close ends the watch for nodes that fall silent. Requests are answered as before,
// but no node is marked offline any more. Closing again does nothing.
func (s *Server) Close() {
	s.watch.close()
}
