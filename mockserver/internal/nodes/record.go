package nodes

import (
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// record writes a request and its answer into the journal. It does so before the answer is
// sent: a client that has an answer finds it there. A request whose connection is broken off has
// no status. The answer gets the time of the mock's clock, where that differs from the machine's.
func (a *API) record(x *exchange.Exchange) {
	shown, took := a.Clock.Now(), time.Since(x.Began)
	if shown.Sub(x.Began.Add(took)).Abs() >= time.Second {
		x.Header().Set("Date", shown.UTC().Format(http.TimeFormat))
	}
	a.recordAt(shown, took, x, x.Header())
}

// recordAt writes a request and its answer into the journal. An answer that is passed on may have other
// headers than x.
func (a *API) recordAt(shown time.Time, took time.Duration, x *exchange.Exchange, header http.Header) {
	r := x.Request
	a.Journal.Exchange(journal.Exchange{
		At:            shown,
		Took:          took,
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
