package mockserver

import (
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// record writes a request and its answer into the journal. It does so before the answer is
// sent: a client that has an answer finds it there. A request whose connection is broken off has
// no status.
func (s *Server) record(x *exchange) {
	r := x.request
	s.noteDrift(x)
	s.journal.Exchange(journal.Exchange{
		At:            s.clock.Now(),
		Took:          time.Since(x.began),
		Operation:     control.Operation(x.operationID()),
		Node:          x.nodeID,
		CorrelationID: x.correlationID,
		Method:        r.Method,
		Path:          r.URL.EscapedPath(),
		Query:         r.URL.RawQuery,
		RequestHeader: r.Header,
		RequestBody:   x.requestBody,
		RequestBytes:  x.bodySize,
		Vetted:        x.input != nil,
		Status:        x.status,
		AnswerHeader:  x.header,
		AnswerBody:    x.body.Bytes(),
		Fault:         x.fault,
		Remark:        x.remark,
		Departures:    x.departures,
	})
}

// noteDrift takes down how a request departed from the document since it was last called for
// it. What is new is logged. In the exchange, nothing secret is left of it.
func (s *Server) noteDrift(x *exchange) {
	r := x.request
	departures := x.departures[x.noted:]
	if len(departures) == 0 {
		return
	}
	for i := range departures {
		d := &departures[i]
		for _, text := range []*string{&d.Pointer, &d.Expected, &d.Got} {
			*text = journal.Masked(*text, r.Header)
		}
	}
	x.noted = len(x.departures)
	seen := drift.Sighting{NodeID: x.nodeID, At: s.clock.Now()}
	for _, departure := range s.drift.Add(seen, departures) {
		s.logDrift(r, seen.NodeID, departure)
	}
}
