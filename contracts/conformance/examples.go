package conformance

import "context"

// sendExamples sends the examples of the document, with the names of nodes replaced.
func sendExamples(ctx context.Context, s *session) {
	if !s.lives(ctx) {
		s.stop(errBasics)
		return
	}
	r := s.registry()
	register, beat := s.doc.operation(opRegister), s.doc.operation(opHeartbeat)
	for _, example := range register.examples {
		s.begin()
		done := s.atLevel(s.levelOf(ctx, opRegister, example))
		id := s.name()
		s.cover(register, "", "example", false)
		ok := r.register(ctx, encode(with(example, pointer{s.doc.idField()}, id)), "of an example") && r.look(ctx)
		for _, example := range beat.examples {
			if ok {
				s.cover(beat, "", "example", false)
				within := s.atLevel(s.levelOf(ctx, opHeartbeat, example))
				r.beat(ctx, id, encode(example), "of an example")
				within()
				r.look(ctx)
			}
		}
		if ok {
			_ = r.leave(ctx, id) && r.look(ctx) && r.leave(ctx, id)
		}
		done()
	}
}

// lives reports whether a plain node can register, send a heartbeat and be listed.
func (s *session) lives(ctx context.Context) bool {
	r, id := s.registry(), s.name()
	alive := r.look(ctx) && r.register(ctx, s.plainRegister(id), "of a registration") &&
		r.beat(ctx, id, s.plainBeat(), "of a heartbeat") && r.list(ctx) != nil
	if r.known[id] != nil {
		r.leave(ctx, id)
	}
	return alive
}

// runNode lets a real node register, send a heartbeat and leave.
func runNode(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	id := s.name()
	s.remember(id)
	t := &tap{doc: s.doc, base: s.prober.base.Path, onward: s.prober.kept, calls: &s.prober.calls}
	if _, err := t.live(ctx, s.prober.base.String(), id, s.prober.token); err != nil {
		s.find(Nodes, s.doc.operation(opRegister), "life of a real node", "to register, beat and leave", err.Error())
		return
	}
	s.forget(id)
}

// levelOf returns the level at which a body has to be accepted. That is Document for a
// body without something that nodes always send.
func (s *session) levelOf(ctx context.Context, op string, body any) Level {
	sent, err := s.nodeSends(ctx)
	if err != nil {
		s.stop(err)
	}
	if lacks(body, sent[op]) {
		return Document
	}
	return Nodes
}

// lacks reports whether a body lacks something that a node would send.
func lacks(body, sent any) bool {
	switch sent := sent.(type) {
	case map[string]any:
		object, ok := body.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range sent {
			if _, there := object[name]; !there || lacks(object[name], value) {
				return true
			}
		}
	case []any:
		items, _ := body.([]any)
		for _, item := range items {
			if len(sent) > 0 && lacks(item, sent[0]) {
				return true
			}
		}
	}
	return false
}
