package mocktest

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/control"
)

// SwitchOn switches a fault on until the test ends: a preset such as "flaky" or one that
// the server was given.
func (s *Server) SwitchOn(t testing.TB, fault string) {
	t.Helper()
	if _, known := s.Faults().Switch(fault, true); !known {
		var names []string
		for _, known := range s.Faults().List() {
			names = append(names, known.Name)
		}
		t.Fatalf("there is no fault %q, but %s", fault, strings.Join(names, ", "))
	}
	t.Cleanup(func() { s.Faults().Switch(fault, false) })
}

// Inject has the server misbehave in this way until the test ends. A fault that has the
// name already is replaced.
func (s *Server) Inject(t testing.TB, name string, fault control.FaultDefinition) {
	t.Helper()
	if _, err := s.Faults().Put(name, fault); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Faults().Delete(name) })
}
