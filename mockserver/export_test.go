package mockserver

import "github.com/llama-orch/node-registration/mockserver/internal/controlapi"

// BreakControl makes a server fail at everything that the control API is asked for.
func (s *Server) BreakControl() {
	var nobody struct { // whom to call is to panic
		controlapi.StrictServerInterface
	}
	s.router = s.routes(nobody)
}
