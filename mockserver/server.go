// Package mockserver is an orchestratord for tests and for trying things out. It keeps the
// registry of nodes that the OpenAPI document describes, and places no work. It checks
// requests and its own answers against the document. Its problem details (RFC 9457) say what
// is wrong with a request.
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

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/controls"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/nodes"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Server is a mock orchestratord. It serves any number of requests at once.
type Server struct {
	clock     *clock.Clock
	settings  *settings.Store
	cluster   *cluster.Cluster
	journal   *journal.Journal
	drift     drift.Record
	refused   drift.Record // by the orchestratord in service
	answers   drift.Record // of the orchestratord that the server stands in front of
	faults    *faults.Set
	watch     *upstream.Watch // of that one; nil without it
	exchanges *exchange.Pool
	controls  *chi.Mux // the routes of the control API; nil without it
	handler   http.Handler
	end       context.CancelFunc // of what goes on in the background
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
	s := &Server{clock: config.clock, journal: journal.New(config.journalSize), faults: config.faults}
	s.cluster = cluster.New(cluster.Config{
		Clock: s.clock, Journal: s.journal, Log: config.log, NodeTimeout: config.start.NodeTimeout,
		Policy: config.start.Policy(), ForgetAfter: config.forgetAfter, MaxNodes: config.maxNodes,
	})
	s.settings = settings.NewStore(config.start, func(now *settings.Settings) {
		s.cluster.SetRules(now.NodeTimeout, now.Policy())
	})
	life, end := context.WithCancel(context.Background())
	if config.upstream != nil {
		s.watch = upstream.NewWatch(upstream.WatchConfig{
			Upstream: config.upstream, Cluster: s.cluster, Clock: s.clock, Journal: s.journal, Drift: &s.answers,
			Log: config.log,
		})
		if !config.upstreamOption.Recorded {
			s.watch.Ask()
		}
	}
	s.exchanges, s.end = exchange.NewPool(life, s.settings, config.log), end
	routes := s.route(config)
	s.controls, s.handler = routes.controls, routes.handler()
	return s, nil
}

// route returns what serves the paths of the server.
func (s *Server) route(config config) routing {
	guard := exchange.NewGuard(config.origins, config.controlHosts, config.controlToken != nil)
	r := routing{guard: guard, origins: config.origins, nodes: nodes.New(nodes.Config{
		Cluster: s.cluster, Clock: s.clock, Journal: s.journal, Drift: &s.drift, Refused: &s.refused, Faults: s.faults,
		Settings: s.settings, Log: config.log, Guard: guard, BodyLimit: config.bodyLimit,
		Upstream: config.upstream, Answers: &s.answers,
	})}
	if !config.uncontrolled {
		r.controls = controls.New(controls.Config{
			Cluster: s.cluster, Clock: s.clock, Journal: s.journal, Drift: &s.drift, Refused: &s.refused,
			Faults: s.faults, Settings: s.settings, Log: config.log, Guard: guard, Token: config.controlToken,
			Watch: s.watch, Answers: &s.answers,
		}).Router()
	}
	return r
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := s.exchanges.Begin(w, r)
	defer s.exchanges.End(x)
	s.handler.ServeHTTP(w, x.Request)
}

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

// RefusedInService returns what the orchestratord in service would have refused of the requests
// that were taken so far. In the dialect InService that is nothing.
func (s *Server) RefusedInService() drift.Report {
	return s.refused.Report()
}

// Faults returns the faults of the server, for a test to switch while it runs.
func (s *Server) Faults() *faults.Set {
	return s.faults
}

// Clock returns the clock that nodes time out by, for a test to pause and put forward. It
// cannot be put beyond the last time that an answer can state.
func (s *Server) Clock() *clock.Clock {
	s.clock.Limit(spec.Control().LastTime) // only now, since the document takes long to read
	return s.clock
}

// Journal returns what has happened, for a test to look at and to expect things of.
func (s *Server) Journal() *journal.Journal {
	return s.journal
}

// ControlPath returns the path at and below which the control API is, and "" for a server
// without one. Such a server has no dashboard at / either.
func (s *Server) ControlPath() string {
	if s.controls == nil {
		return ""
	}
	return controls.Root(s.controls)
}

// Close ends the watch for nodes that fall silent, and the streams that follow the
// journal, and breaks off requests that a fault keeps waiting. Other requests are answered
// as before, but no node is marked offline any more. Closing again does nothing.
func (s *Server) Close() {
	s.end()
	s.cluster.Close()
	if s.watch != nil {
		s.watch.Close()
	}
}
