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
// no status.
func (a *API) record(x *exchange.Exchange) {
	now, took := a.Clock.Now(), time.Since(x.Began)
	date(x.Header(), now, x.Began.Add(took))
	a.write(x, x.Header(), now, took)
}

// date gives an answer the time of the mock's clock, where that differs from the machine's.
func date(header http.Header, shown, real time.Time) {
	if shown.Sub(real).Abs() >= time.Second {
		header.Set("Date", shown.UTC().Format(http.TimeFormat))
	}
}

// write is record, with the headers of the answer, what the clock shows, and how long the answer took.
func (a *API) write(x *exchange.Exchange, header http.Header, now time.Time, took time.Duration) {
	r := x.Request
	a.Journal.Exchange(journal.Exchange{
		At:            now,
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
