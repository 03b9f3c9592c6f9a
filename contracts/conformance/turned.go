package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// errTurned ends a run whose orchestratord has changed its mind.
var errTurned = errors.New("orchestratord refuses every call by now")

const (
	// turnedLooks is how many plain lists have to be refused alike, turnedPause apart: an orchestratord that is
	// too busy for a moment has not turned.
	turnedLooks = 5
	turnedPause = 250 * time.Millisecond
)

// refusesAll are statuses, besides those of failures, that whoever has turned may answer to every call.
var refusesAll = []int{http.StatusUnauthorized, http.StatusForbidden}

// hasTurned reports whether orchestratord refuses, from an answer on, whatever it is asked. That is one finding and
// the end of the run, as every check would find the same.
func (s *session) hasTurned(ctx context.Context, a *answer) bool {
	if a.noToken || a.status < 500 && !slices.Contains(refusesAll, a.status) {
		return false
	}
	s.turning <- struct{}{}
	defer func() { <-s.turning }()
	calls := s.prober.calls.Load()
	list := call{op: s.doc.operation(opList)}
	for range turnedLooks {
		again, err := s.prober.send(ctx, list)
		if s.reason() != nil || err != nil || again.status != a.status {
			return s.reason() == errTurned
		}
		s.pause(ctx, turnedPause)
	}
	if s.reason() != nil {
		return s.reason() == errTurned
	}
	defer func(before Level) { s.level = before }(s.level)
	s.level = Nodes
	s.find(Nodes, a.op, fmt.Sprintf("status from call %d on", calls), "an answer to what is asked, as before",
		describeStatus(a)+" to every call, a plain list too")
	s.stop(errTurned)
	return true
}
