// Package mockserver is an orchestratord for tests and for trying things out: it keeps the
// registry of nodes that the OpenAPI document describes, and places no work. It checks
// requests and its own answers against the document. Its problem details (RFC 9457) say
// what is wrong with a request.
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
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Server is a mock orchestratord. It serves any number of requests at once.
type Server struct {
	config
	cluster *cluster.Cluster
	metrics *metrics
	drift   drift.Record
	journal *journal.Journal
	router  *chi.Mux

	exchanges   exchanges
	largeBodies places
	closeLooks  places

	streams chan struct{} // holds one for each stream that is open
	guard   guard
	guesses guesses // of the control token

	settings atomic.Pointer[settings]
	changing sync.Mutex // held to change the settings

	started clock.State

	life context.Context // what goes on in the background ends with it
	end  context.CancelFunc
}

// New returns a server without nodes. Without options it takes every call, asks for
// a heartbeat every 10 s (CLOUD-2011) and marks a node offline after 30 s without one
// (CLOUD-2013). The error lists everything that is wrong with the options.
//
// Close ends what the server does in the background.
func New(options ...Option) (*Server, error) {
	config, err := newConfig(options)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	s := &Server{
		config:      config,
		started:     config.clock.State(),
		journal:     journal.New(config.journalSize),
		streams:     make(chan struct{}, maxStreams),
		guard:       newGuard(config),
		largeBodies: make(places, largeBodies),
		closeLooks:  make(places, closeLooks),
		life:        life,
		end:         end,
	}
	s.settings.Store(&config.start)
	s.cluster = cluster.New(cluster.Config{
		Clock: s.clock, Journal: s.journal, Log: s.log,
		NodeTimeout: config.start.nodeTimeout, ForgetAfter: config.forgetAfter, MaxNodes: config.maxNodes,
	})
	s.metrics = newMetrics(s.cluster)
	s.router = s.routes(controls{s})
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header["Expect"] != nil { // whereupon the HTTP server sends something before the answer
		setDeadline(w)
	}
	x := s.exchanges.begin(w, r)
	defer s.exchanges.end(x)
	x.settings = s.settings.Load()
	w.Header()["X-Content-Type-Options"] = nosniff
	s.router.ServeHTTP(w, x.request)
}

// nosniff keeps browsers from taking an answer for anything but its content type. It is
// shared by all answers, and never edited.
var nosniff = []string{"nosniff"}

// Nodes returns what the server knows of its nodes, ordered by id.
func (s *Server) Nodes() []registry.Node {
	return s.cluster.Nodes()
}

// Node returns what the server knows of a node. It reports false for one that is not
// registered.
func (s *Server) Node(id nodeapi.NodeID) (registry.Node, bool) {
	return s.cluster.Node(id)
}

// Drift returns how the requests so far departed from the contract, the refused ones
// too. With validation Off nothing is looked for.
func (s *Server) Drift() drift.Report {
	return s.drift.Report()
}

// Faults returns the faults of the server, for a test to switch while it runs.
func (s *Server) Faults() *faults.Set {
	return s.faults
}

// Clock returns the clock that nodes time out by, for a test to pause and put forward. It
// cannot be put beyond the last time that an answer can state.
func (s *Server) Clock() *clock.Clock {
	s.clock.Limit(clockLimit())
	return s.clock
}

// Journal returns what has happened, for a test to look at and to expect things of.
func (s *Server) Journal() *journal.Journal {
	return s.journal
}

// Close ends the watch for nodes that fall silent, and the streams that follow the
// journal, and breaks off requests that a fault keeps waiting. Other requests are answered
// as before, but no node is marked offline any more. Closing again does nothing.
func (s *Server) Close() {
	s.end()
	s.cluster.Close()
}
