package nodes

import (
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// date gives an answer the time of the mock's clock, where that differs from the machine's.
func (a *API) date(x *exchange.Exchange) {
	if shown := a.Clock.Now(); time.Until(shown).Abs() >= time.Second {
		x.Header().Set("Date", shown.UTC().Format(http.TimeFormat))
	}
}

// record writes a request and its answer into the journal. It does so before the answer is
// sent: a client that has an answer finds it there. A request whose connection is broken off has
// no status.
func (a *API) record(x *exchange.Exchange) { a.recordWith(x, x.Header()) }

// recordWith is record for an answer with other headers.
func (a *API) recordWith(x *exchange.Exchange, header http.Header) {
	r := x.Request
	a.Journal.Exchange(journal.Exchange{
		At:            a.Clock.Now(),
		Took:          time.Since(x.Began),
		Operation:     control.Operation(x.OperationID()),
		Node:          x.NodeID,
		CorrelationID: x.CorrelationID,
		Method:        r.Method,
		Path:          r.URL.EscapedPath(),
		Query:         r.URL.RawQuery,
		RequestHeader: r.Header,
		RequestBody:   x.RequestBody,
		RequestBytes:  x.RequestBytes,
		Vetted:        x.Vetted,
		Status:        x.Status(),
		AnswerHeader:  header,
		AnswerBody:    x.Body(),
		AnswerBytes:   x.AnswerBytes,
		Fault:         x.Fault,
		Remark:        x.Remark,
		Departures:    x.Departures,

		Relayed:          a.Upstream != nil,
		AnswerDepartures: x.AnswerDepartures,
	})
}

// noteDrift takes down how a request departs from the document.
func (a *API) noteDrift(x *exchange.Exchange) { a.count(x, a.Drift, x.Departures) }

// count adds departures to a record, and logs what is new.
func (a *API) count(x *exchange.Exchange, record *drift.Record, departures []drift.Departure) {
	if len(departures) == 0 {
		return
	}
	seen := drift.Sighting{NodeID: x.NodeID, At: a.Clock.Now()}
	if x.Quote(x.NodeID) != x.NodeID {
		seen.NodeID = "" // it is a credential as well
	}
	for _, departure := range record.Add(seen, departures) {
		a.logDrift(x, seen.NodeID, departure)
	}
}
