package nodes

import (
	"net/http"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// notePassage holds both sides of a passage to the document, and counts how they depart from it. It has
// the nodes follow what was said of them. Whatever goes wrong with that, the passage goes on.
func (r *relayed) notePassage(p *upstream.Passage) {
	r.passage = p
	r.x.Remark = remark(p, r.x.Status() != 0)
	err := r.x.Run(func(*exchange.Exchange) error { r.noteSides(p); return nil })
	if err != nil {
		r.x.LogInternalError(err)
	}
}

func (r *relayed) noteSides(p *upstream.Passage) {
	x := r.x
	status := x.Status()
	if r.stray != nil && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		r.stray() // orchestratord has nothing for it either
	}
	var body any
	if p.RequestWhole {
		body = r.readRequest()
	}
	if x.Operation != nil && status != 0 && x.IsChecked() {
		r.noteAnswer()
	}
	r.noteDrift(x)
	r.count(x, r.Answers, x.AnswerDepartures)
	if x.Operation != nil && status/100 == http.StatusOK/100 {
		r.noteRefusedInService(x, body)
	}
	r.follow(body)
}

// readRequest returns the value of the request's body, and notes how that departs from the
// document. It returns nil for a body that cannot be read, or if there should be none.
func (r *relayed) readRequest() any {
	x := r.x
	if x.Operation == nil || x.Operation.Bodies == nil {
		return nil
	}
	schema, unfit := dialectOf(x).bodySchema(x)
	if unfit != nil {
		return nil
	}
	value, plain := wire.Decode(x.OperationID(), x.RequestBody)
	if plain && r.keepsDialect(value) {
		x.Vetted = true
	} else {
		loose, err := r.lookClosely(x, schema)
		if err != nil {
			return nil
		}
		value = bound(x.OperationID(), spec.Keep(x.OperationID(), schema, loose))
	}
	if registration, ok := value.(*nodeapi.RegisterRequest); ok {
		about(x, registration.NodeID)
	}
	return value
}

// keepsDialect reports whether a body that keeps the document of the node API also keeps that of
// the dialect, which may require more.
func (r *relayed) keepsDialect(value any) bool {
	var room [8]drift.Departure
	if r.x.Settings.Document != nil {
		return false
	}
	return r.x.Settings.Dialect != control.DialectInService ||
		len(spec.AppendMissing(room[:0], r.x.OperationID(), value)) == 0
}

// bound returns a decoded body in the type of the operation's requests, or nil if it does not fit.
func bound(operation string, loose any) any {
	var value any
	switch control.Operation(operation) {
	case control.OperationRegisterNode:
		value = new(nodeapi.RegisterRequest)
	case control.OperationHeartbeatNode:
		value = new(nodeapi.HeartbeatRequest)
	default:
		return nil
	}
	if exactjson.Bind(loose, value) != nil {
		return nil
	}
	return value
}

// noteAnswer notes how the answer departs from the document.
func (r *relayed) noteAnswer() {
	noteEcho(r.x, r.passage.Header)
	r.x.DepartAnswer(r.answerDepartures()...)
}

func (r *relayed) answerDepartures() []drift.Departure {
	x, p := r.x, r.passage
	body := x.Body()
	switch {
	case !p.AnswerWhole, x.Request.Method == http.MethodHead: // there is more than was looked at
		body = nil
	case body == nil:
		body = []byte{}
	}
	return documentOf(x).AnswerDepartures(x.Operation, x.Status(), p.Header, body, x.Quote)
}

// noteEcho has the correlation id of the answer count if the request has none, and notes if it is
// another than that of the request.
func noteEcho(x *exchange.Exchange, answer http.Header) {
	name := spec.Nodes().CorrelationHeader
	echoed := answer.Get(name)
	if echoed == "" || echoed == x.CorrelationID {
		return
	}
	if given := x.Request.Header[name]; len(given) != 1 || given[0] != x.CorrelationID {
		if nodeapi.ValidCorrelationID(echoed) {
			x.CorrelationID = echoed
		}
		return
	}
	x.DepartAnswer(drift.Departure{
		Kind: drift.Header, Pointer: name, Expected: "must be that of the request", Got: "another",
	})
}
