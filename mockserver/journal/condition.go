package journal

import (
	"cmp"
	"fmt"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// condition is one thing that an expectation states of an entry.
type condition struct {
	fits func(*sight) bool
	miss func(*sight) string // what to say of an entry that does not fit
}

// conditions returns what an expectation states, the most telling first.
func conditions(e control.Expectation) []condition {
	var all []condition
	if e.Kind != nil {
		all = append(all, kindIs(*e.Kind))
	}
	if e.Operation != nil {
		all = append(all, operationIs(*e.Operation))
	}
	if e.Becomes != nil {
		all = append(all, becomes(*e.Becomes))
	}
	if e.Node != nil {
		all = append(all, nodeFits(*e.Node))
	}
	if e.Answered != nil {
		all = append(all, answered(*e.Answered))
	}
	if e.Pool != nil {
		all = append(all, poolFits(*e.Pool)...)
	}
	return all
}

func kindIs(kind control.EntryKind) condition {
	return condition{
		fits: func(s *sight) bool { return s.kind == kind },
		miss: func(s *sight) string { return fmt.Sprintf("is of kind %s, not %s", s.kind, kind) },
	}
}

func operationIs(operation control.Operation) condition {
	return condition{
		fits: func(s *sight) bool { return s.operation == operation },
		miss: func(s *sight) string {
			return fmt.Sprintf("is %s, not %s", cmp.Or(string(s.operation), "no operation"), operation)
		},
	}
}

func becomes(status nodeapi.NodeStatus) condition {
	return condition{
		fits: func(s *sight) bool { return s.to == status },
		miss: func(s *sight) string {
			if s.kind != control.EntryKindChange {
				return "is no change of status"
			}
			return fmt.Sprintf("became %s, not %s", cmp.Or(string(s.to), "gone"), status)
		},
	}
}

func nodeFits(glob control.NodeGlob) condition {
	return condition{
		fits: func(s *sight) bool { return fitsGlob(s.record, glob) },
		miss: func(s *sight) string {
			if node := s.text(partNode); node != "" {
				return fmt.Sprintf("node id %s does not fit %s", node, glob)
			}
			return fmt.Sprintf("has no node id to fit %s", glob)
		},
	}
}

func answered(pattern control.StatusPattern) condition {
	return condition{
		fits: func(s *sight) bool { return fitsStatus(s.record, pattern) },
		miss: func(s *sight) string {
			switch {
			case s.kind != control.EntryKindExchange:
				return "is no request"
			case s.status == 0:
				return "not answered, instead of " + pattern
			case pattern == noAnswer:
				return fmt.Sprintf("answered %d, where no answer is expected", s.status)
			}
			return fmt.Sprintf("answered %d, not %s", s.status, pattern)
		},
	}
}
