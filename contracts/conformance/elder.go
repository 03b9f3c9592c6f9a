package conformance

import (
	"context"
	"slices"
)

// elder is a node that comes after the first check and stays until the run ends, with a heartbeat after each
// check. Others leave so soon that nobody notices who forgets nodes though they send heartbeats.
type elder struct {
	*registry
	id   string
	came []made // its registration
}

// meetElder has the elder send a heartbeat, and looks for it in the list. If it was silent for too long it registers
// first, since it may be forgotten.
func (s *session) meetElder(ctx context.Context) {
	if s.reason() != nil {
		return
	}
	s.begin()
	e := &s.run.elder
	if e.registry == nil {
		e.registry, e.id = s.registry(), s.name()
	}
	e.session = s
	if e.known[e.id] == nil || e.overdue() {
		e.register(ctx, e.plainRegister(e.id), "of a registration")
		e.keepFirst(1)
		e.came = e.trail
	}
	e.trail = slices.Clone(e.came)
	if e.known[e.id] != nil {
		e.beat(ctx, e.id, e.plainBeat(), "of a node that has sent heartbeats for the whole run")
		e.look(ctx)
	}
}
