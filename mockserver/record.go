package mockserver

import (
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
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
		Operation:     control.Operation(x.operation),
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
