package mockserver

import (
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/controls"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/registry"
)

// Load replaces all nodes of a server, by invalid ones, too.
func (s *Server) Load(nodes []registry.Node) { s.cluster.Load(nodes, time.Now()) }

// BreakControl makes a server fail at everything that the control API is asked for.
func (s *Server) BreakControl() {
	var nobody struct { // whom to call is to panic
		controlapi.StrictServerInterface
	}
	broken := controls.New(controls.Config{
		Cluster: s.cluster, Clock: s.clock, Settings: settings.NewStore(settings.Settings{}, nil),
		Guard: exchange.NewGuard(nil, nil, false),
	})
	s.handler = divert(broken.RouterOf(nobody))(s.handler)
}
