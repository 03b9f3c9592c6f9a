package mockserver

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// exchange is one request and its answer on their way through the server. It is the
// http.ResponseWriter of what serves the request, and holds the answer back: until it is sent,
// it can be checked and replaced. Who breaks the connection off panics with
// http.ErrAbortHandler, and nothing is sent.
//
// Exchanges are pooled. Copy whatever must outlive the request, except strings and input.
// Goroutines that may outlive the request must not have the exchange.
type exchange struct {
	answer // as it is so far

	settings      *settings       // that are in force for this request
	began         time.Time       // in real time
	operation     *spec.Operation // nil for a request that fits none
	nodeID        string          // of the node that the request is about, as soon as it is known; "" if none that fits the document
	correlationID string          // which fits the document
	requestBody   []byte          // as far as it was read, which happens after authentication
	bodySize      int             // of requestBody when that is but its beginning
	large         bool            // whether it takes one of the places of large bodies
	input         any             // the decoded body, such as *nodeapi.HeartbeatRequest, unless it took the slow path

	departures []drift.Departure // of the request from the document
	noted      int               // how many of them have been taken down
	fault      string            // the name of the one that acted on the request
	remark     string            // what else is out of the ordinary with it

	// transmit, if set, sends the answer in another way than whole and at once. It may panic
	// with http.ErrAbortHandler.
	transmit func(client http.ResponseWriter)

	failure error               // of the handler
	request *http.Request       // with the exchange in its context
	client  http.ResponseWriter // the connection's own, which also flushes and hijacks
	checked checkedBody         // the body of the request
	route   *chi.Context
	carrier *carrier
}

// exchangeOf returns the exchange of a request that came through ServeHTTP, and nil when
// the request has ended.
func exchangeOf(r *http.Request) *exchange { return exchangeIn(r.Context()) }

// exchangeIn does the same for those who have nothing but the context of a request.
func exchangeIn(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

type exchangeKey struct{}

// operationID returns the id of the operation in the document, and "" for a request that fits none.
func (x *exchange) operationID() string {
	if x.operation == nil {
		return ""
	}
	return x.operation.ID
}

// depart notes departures of the request from the document.
func (x *exchange) depart(departures ...drift.Departure) {
	for _, departure := range departures {
		departure.Operation = x.operationID()
		x.departures = append(x.departures, departure)
	}
}

// quote returns what may be repeated of a text of the request.
func (x *exchange) quote(text string) string { return quote(x.request, text) }

// exchanges are those that wait for a request.
type exchanges struct{ idle sync.Pool }

// begin returns the exchange of a new request.
func (e *exchanges) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x, ok := e.idle.Get().(*exchange)
	if !ok {
		x = &exchange{route: chi.NewRouteContext()}
	}
	x.began = time.Now()
	x.carrier = &carrier{Context: r.Context()}
	x.carrier.exchange.Store(x)
	x.request, x.client = r.WithContext(x.carrier), w
	return x
}

// end makes an exchange ready for another request. Whoever has the context of the one
// that has ended finds no exchange in it from now on.
func (e *exchanges) end(x *exchange) {
	x.carrier.exchange.Store(nil)
	x.answer.begin(nil)
	x.route.Reset()
	*x = exchange{answer: x.answer, requestBody: reusable(x.requestBody), route: x.route}
	e.idle.Put(x)
}

// reusable returns a buffer without what is in it, and none in place of a large one, as
// few requests need it.
func reusable(buffer []byte) []byte {
	if cap(buffer) > keptBuffer {
		return nil
	}
	return buffer[:0]
}

// keptBuffer is the size in bytes up to which buffers are used again.
const keptBuffer = 64 << 10

// carrier is the context of a request that has an exchange. Unlike the exchange it is not
// used again, since contexts that are derived from it may outlive the request.
type carrier struct {
	context.Context
	exchange atomic.Pointer[exchange]
}

// Value finds the exchange, and the state of the router, for which chi would make a
// context of its own.
func (c *carrier) Value(key any) any {
	switch key {
	case exchangeKey{}:
		return c.exchange.Load()
	case chi.RouteCtxKey:
		if x := c.exchange.Load(); x != nil {
			return x.route
		}
	}
	return c.Context.Value(key)
}
