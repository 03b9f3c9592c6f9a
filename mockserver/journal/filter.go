package journal

import (
	"strconv"
	"strings"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/glob"
)

// Filter says which entries to return, and how much of each. What is not set does not
// matter; an entry fits if all that is set does.
type Filter struct {
	Node      control.NodeGlob
	Operation control.Operation
	Kind      control.EntryKind
	Answered  control.StatusPattern
	After     *control.Sequence
	Brief     bool // leaves out headers and bodies
}

// Check returns what is wrong with a filter, if anything. No entry fits a broken one.
func (f Filter) Check() error {
	return glob.Check(f.Node)
}

// fits reports whether an entry fits, wherever in the journal it is.
func (f Filter) fits(r *record) bool {
	return (f.Node == "" || fitsGlob(r, f.Node)) &&
		(f.Operation == "" || f.Operation == r.operation) &&
		(f.Kind == "" || f.Kind == r.kind) &&
		(f.Answered == "" || fitsStatus(r, f.Answered))
}

func fitsGlob(r *record, pattern control.NodeGlob) bool {
	node := r.text(partNode)
	return node != "" && glob.Fits(pattern, node)
}

// noAnswer is the pattern of requests that were not answered.
const noAnswer = "none"

func fitsStatus(r *record, pattern control.StatusPattern) bool {
	if r.kind != control.EntryKindExchange {
		return false
	}
	if pattern == noAnswer {
		return r.status == 0
	}
	class, whole := strings.CutSuffix(pattern, "xx")
	return strings.HasPrefix(strconv.Itoa(r.status), class) && (whole || len(class) == 3)
}
