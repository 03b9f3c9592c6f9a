package conformance

import (
	"context"
	"fmt"
	"slices"
)

// crowdSize is how many nodes are registered at once: more than 50 (CLOUD-11020), and more
// than a page of 100.
const crowdSize = 110

// enoughFailures is how many failed sequences end the walk.
const enoughFailures = 5

// walkStates walks random sequences, registers many nodes at once, and lets time pass.
func walkStates(ctx context.Context, s *session) {
	s.walkAll(ctx, append([][]step{s.mixups()}, s.drawn()...))
	s.crowd(ctx, crowdSize)
	s.passing(ctx)
}

// walkLives walks the fixed sequences of events in the life of a node.
func walkLives(ctx context.Context, s *session) { s.walkAll(ctx, plots()) }

// walkAll walks sequences, until too many of them fail.
func (s *session) walkAll(ctx context.Context, plans [][]step) {
	failures := 0
	for _, plan := range plans {
		walked, steps := s.walk(ctx, plan)
		for _, f := range s.shrunk(ctx, plan[:steps], walked.found) {
			s.add(f)
		}
		if walked.failed() {
			failures++
		}
		if s.reason() != nil || failures == enoughFailures {
			return
		}
	}
}

// walk walks a sequence with nodes of its own, until something is wrong. Its findings
// stay in the session that it returns, with how many steps it took.
func (s *session) walk(ctx context.Context, plan []step) (walked *session, steps int) {
	quiet := s.run.session(s.check)
	quiet.quiet = true
	r, name := quiet.registry(), s.name()
	for _, step := range plan {
		steps++
		r.follow(ctx, step, s.called(name, step.node))
		if steps == len(plan) || !step.goesWith(plan[steps]) {
			r.look(ctx)
		}
		if quiet.failed() || quiet.reason() != nil {
			break
		}
	}
	found := quiet.found
	for id, node := range r.known {
		if node.registered {
			r.leave(ctx, id)
		}
	}
	quiet.found = found
	return quiet, steps
}

// failed reports whether there is a finding that counts.
func (s *session) failed() bool { return slices.ContainsFunc(s.found, s.report.counts) }

// crowd registers many nodes at once, and checks that none pushes out another.
func (s *session) crowd(ctx context.Context, size int) {
	s.begin()
	r, name := s.registry(), s.name()
	var ids []string
	for i := range size {
		ids = append(ids, fmt.Sprintf("%s-%d", name, i))
	}
	for _, id := range ids {
		r.register(ctx, s.plainRegister(id), comes.String())
		r.beat(ctx, id, s.plainBeat(), beats.String())
	}
	r.look(ctx)
	for i, id := range ids {
		r.take(ctx, leaves, id)
		if i == len(ids)/2 {
			r.look(ctx)
		}
	}
	r.look(ctx)
}

// passing lets time pass between the calls of a node. It checks that its listed times move
// forward, and those of a silent node do not.
func (s *session) passing(ctx context.Context) {
	s.begin()
	r, id, silent := s.registry(), s.name(), s.name()
	r.take(ctx, comes, id)
	r.take(ctx, beatsAhead, id) // the clock is right in its later heartbeats
	r.take(ctx, comes, silent)
	r.take(ctx, beats, silent)
	r.look(ctx)
	s.pause(ctx, 2*skewTolerance)
	for _, act := range []act{beats, comes, beats, leaves} {
		r.take(ctx, act, id)
		r.look(ctx)
	}
	for _, act := range []act{leaves, comes, leaves} {
		r.take(ctx, act, silent)
		r.look(ctx)
	}
}
