package nodes

import (
	"fmt"
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
)

// relay passes a request on to a real orchestratord, and its answer back. What breaks the document
// is noted, on both sides, and nothing is refused for it.
func (a *API) relay(x *exchange.Exchange) {
	r := &relayed{API: a, x: x}
	defer func() { r.record(x.Header()) }()
	r.look()
	if err := a.Guard.CheckNodes(x); err != nil {
		x.Fail(err)
		return
	}
	if x.Operation == nil || a.Faults.Idle() {
		r.carry(nil)
		return
	}
	a.inject(x, r.serve)
}

// relayed is a request that is passed on.
type relayed struct {
	*API
	x        *exchange.Exchange
	stray    func()            // notes that the document has nothing for the request; nil if it has
	head     func(http.Header) // changes the head of the answer as a fault has it; nil for none
	passage  *upstream.Passage // nil until it has ended
	recorded bool
}

// look looks at what comes before the body of the request.
func (r *relayed) look() {
	x, methods := r.x, []string(nil)
	if x.Operation == nil {
		methods = dialectOf(x).methods(r.router, x.Request)
	}
	switch {
	case x.Operation != nil && !x.LacksParameter():
		about(x, spec.Nodes().NodeInPath(x.Request))
		_ = noteHead(x) // which refuses nothing
	case len(methods) > 0:
		r.stray = func() {
			if !r.noteMethod(x, methods) { // but a page of the mock
				r.notePath(x)
			}
		}
	default:
		x.Operation, r.stray = nil, func() { r.notePath(x) }
	}
}

// serve passes a request on that faults have looked at. The effect is that of the one that acts,
// or nil. An answer whose body is changed is held back, and so is one that is not sent.
func (r *relayed) serve(effect *control.FaultEffect) {
	if effect == nil {
		r.carry(nil)
		return
	}
	r.head = func(header http.Header) { corruptHead(header, effect) }
	head := func() { r.head(r.x.Header()) }
	switch connection := optional.Or(effect.Connection, ""); {
	case effect.Body != nil, connection == control.FaultEffectConnectionResetAfter:
		r.fetch()
	case connection == control.FaultEffectConnectionCloseIdle:
		r.carryLong(head)
	default:
		r.carry(head)
	}
}

// carry passes the request on, and the answer to the client as it comes.
func (r *relayed) carry(head func()) {
	r.x.Unsign()
	r.sent()
	r.Upstream.Carry(r.x, head, r.noteSent)
	r.finish()
}

// carryLong is carry for an answer that is too long to be kept. Another is left to be sent.
func (r *relayed) carryLong(head func()) {
	r.x.Unsign()
	r.Upstream.CarryLong(r.x, func() { r.sent(); head() }, func(p *upstream.Passage) {
		if r.x.IsStream() {
			r.noteSent(p)
			return
		}
		r.notePassage(p)
	})
	r.finish()
}

// sent keeps the answer from being sent: it already is.
func (r *relayed) sent() { r.x.SendBy(func(http.ResponseWriter) {}) }

// noteSent notes a passage whose answer is sent as it comes.
func (r *relayed) noteSent(p *upstream.Passage) {
	if r.notePassage(p); p.Header == nil {
		return
	}
	header := p.Header // which may not have been copied yet
	if r.head != nil {
		header = header.Clone()
		r.head(header)
	}
	r.record(header)
}

// fetch passes the request on, and keeps the answer, or the beginning of a long one.
func (r *relayed) fetch() {
	r.x.Unsign()
	r.Upstream.Fetch(r.x, r.notePassage)
	r.finish()
}

// finish does to the client what orchestratord has done: a connection that broke is broken. Where
// there is no connection to orchestratord, the answer is the mock's own.
func (r *relayed) finish() {
	switch p := r.passage; {
	case p.Err == nil:
	case p.Reached():
		panic(http.ErrAbortHandler)
	default:
		r.x.Sign()
		r.x.Fail(exchange.NewProblem(exchange.CodeUpstreamUnreachable,
			"orchestratord at %s cannot be reached: %v", r.Upstream.Where(), p.Err))
	}
}

// record writes the call into the journal, once, with the headers of its answer.
func (r *relayed) record(header http.Header) {
	if r.recorded {
		return
	}
	r.recorded = true
	r.recordAt(r.Clock.Now(), time.Since(r.x.Began), r.x, header)
}

// countRelayed counts a call that was answered.
func (a *API) countRelayed(x *exchange.Exchange) {
	if x.Operation != nil {
		a.metrics.count(x)
	}
}

// remark says why there is no whole answer.
func remark(p *upstream.Passage, begun bool) string {
	switch {
	case p.Err == nil || !p.Reached():
		return ""
	case p.Gone():
		return "the client has gone"
	case begun:
		return fmt.Sprintf("orchestratord broke the answer off: %v", p.Err)
	}
	return fmt.Sprintf("orchestratord broke the connection: %v", p.Err)
}
