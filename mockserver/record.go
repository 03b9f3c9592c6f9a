package mockserver

import (
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
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
		Vetted:        x.input != nil,
		Status:        x.status,
		AnswerHeader:  x.header,
		AnswerBody:    x.body.Bytes(),
		Fault:         x.fault,
		Remark:        x.remark,
		Departures:    x.departures,
	})
}

// recordChange writes down that a node has another status than before, if it has.
func (s *Server) recordChange(change registry.Change) {
	if change.StatusChanged() {
		s.journal.Change(change.Node.Registration.NodeID, s.clock.Now(), change.Was, change.Node.Status)
	}
}

// recordGone writes down that a node is on record no longer.
func (s *Server) recordGone(node registry.Node) {
	s.journal.Change(node.Registration.NodeID, s.clock.Now(), node.Status, nodeapi.NodeStatus(""))
}

// reportOffline writes into the journal and the log which nodes have fallen silent, and which
// are forgotten.
func (s *Server) reportOffline(changes []registry.Change) {
	for _, change := range changes {
		s.recordChange(change)
	}
	s.logOffline(changes)
}
