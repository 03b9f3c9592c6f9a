package mockserver

import (
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/registry"
)

// Load replaces all nodes of a server, by invalid ones, too.
func (s *Server) Load(nodes []registry.Node) { s.cluster.Load(nodes, time.Now()) }

// BreakControl makes a server fail at everything that the control API is asked for.
func (s *Server) BreakControl() {
	var nobody struct { // whom to call is to panic
		controlapi.StrictServerInterface
	}
	s.router = s.routes(nobody)
}
