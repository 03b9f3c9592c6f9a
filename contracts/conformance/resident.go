package conformance

import (
	"context"
	"reflect"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// resident is a registered node. It shows whether calls that must change nothing do so.
type resident struct {
	*registry
	id    string
	entry *nodeapi.Node // how it is listed
}

// settle returns a node that is registered and online, or nil if that fails.
func (s *session) settle(ctx context.Context) *resident {
	s.begin()
	r := &resident{registry: s.registry(), id: s.name()}
	if !r.restore(ctx) {
		return nil
	}
	return r
}

// restore registers the node again and brings it online.
func (r *resident) restore(ctx context.Context) bool {
	if !r.register(ctx, r.plainRegister(r.id), "of a registration") ||
		!r.beat(ctx, r.id, r.plainBeat(), "of a heartbeat") {
		return false
	}
	r.entry = r.shown(ctx)
	return r.entry != nil
}

// shown returns the node's entry in the list, nil when there is none.
func (r *resident) shown(ctx context.Context) *nodeapi.Node {
	listing := r.list(ctx)
	if listing == nil {
		return nil
	}
	for _, node := range listing.nodes {
		if node.NodeID == r.id {
			return node
		}
	}
	return nil
}

// unchanged makes sure that the node is listed as before, and restores it otherwise.
func (r *resident) unchanged(ctx context.Context, op *operation, after string) {
	now := r.shown(ctx)
	if r.reason() != nil || reflect.DeepEqual(now, r.entry) {
		return
	}
	switch {
	case now == nil && r.overdue():
	case now == nil:
		r.find(Nodes, op, "state after "+after, "as before", "the node is gone")
	case now.Status != r.entry.Status && r.overdue():
	default:
		r.find(Nodes, op, "state after "+after, "as before", "the node has changed:"+differences(*r.entry, *now))
	}
	r.restore(ctx)
}

// differences names the fields in which two entries of a list differ.
func differences(before, after nodeapi.Node) string {
	was, is := fields(before), fields(after)
	text := ""
	for name := range was {
		if was[name] != is[name] {
			text += " " + name + " " + short(was[name]) + " is " + short(is[name])
		}
	}
	return text
}
