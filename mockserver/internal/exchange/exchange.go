// Package exchange carries one HTTP request and its answer through the mock: it begins, passes
// steps, fails or is performed, and is sent. The answer is held back until it is complete, so
// that it can still be checked, or replaced by a problem or a fault. Steps that all servers of the mock
// have are here, such as those for tokens and stray web pages. The package knows nothing of
// what becomes of nodes.
package exchange

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/masking"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Exchange is one request and its answer. It is the http.ResponseWriter of whatever serves the
// request. Who breaks the connection off panics with http.ErrAbortHandler, and nothing is sent.
//
// Exchanges are pooled. Copy whatever must outlive the request, except strings. Goroutines that
// may outlive the request must not have the exchange.
type Exchange struct {
	Answer // as it is so far

	// Begin and Hold set these. In front of another orchestratord, what serves nodes may change the
	// correlation id.
	Request       *http.Request       // with the exchange in its context
	Client        http.ResponseWriter // the connection's own, which also flushes and hijacks
	Route         *chi.Context
	Began         time.Time          // in real time
	Settings      *settings.Settings // in force when the request came
	CorrelationID string             // which fits the document
	Operation     *spec.Operation    // nil for a request that fits none

	// ReadBody, SetBody, Depart, DepartAnswer and DepartInService set these, and what passes a request on to
	// another orchestratord.
	RequestBody      []byte            // as far as it was read
	RequestBytes     int               // how many bytes that was, if RequestBody is but the first of them
	Vetted           bool              // whether the document names everything in the body
	Departures       []drift.Departure // of the request from the document
	AnswerDepartures []drift.Departure // of an answer that is not the mock's own
	Refused          []drift.Departure // of the request from what the orchestratord in service takes
	AnswerBytes      int               // how many bytes the body of the answer has, if Body is but the first of them

	// What serves nodes sets these.
	NodeID string // the node that the request is about; "" until it is known, or if the id does not fit the document
	Fault  string // the name of the one that acted on the request
	Remark string // what else is out of the ordinary with the request
	Large  bool   // whether the request has one of the places of large bodies

	body     checkedBody // of the request
	failure  error       // of the handler
	transmit func(client http.ResponseWriter)
	log      *slog.Logger
	life     context.Context // of the server
	carrier  *carrier
}

// OperationID returns the id of the operation in the document, and "" for a request that fits
// none.
func (x *Exchange) OperationID() string {
	if x.Operation == nil {
		return ""
	}
	return x.Operation.ID
}

// IsChecked reports whether request and answer are checked against the document.
func (x *Exchange) IsChecked() bool { return x.Settings.Validation != control.ValidationOff }

// IsHeldToDocument reports whether request and answer are checked against the document of the node API.
// In service there are ids and numbers that it does not allow.
func (x *Exchange) IsHeldToDocument() bool {
	return x.IsChecked() && x.Settings.Dialect != control.DialectInService
}

// Depart notes departures of the request from the document, with its credentials masked
// (CLOUD-4013). Their texts stand on one line, and are cut to what the control API may say.
func (x *Exchange) Depart(departures ...drift.Departure) {
	for _, departure := range departures {
		x.Departures = append(x.Departures, x.masked(departure))
	}
}

// DepartAnswer is Depart, of an answer that is not the mock's own.
func (x *Exchange) DepartAnswer(departures ...drift.Departure) {
	for _, departure := range departures {
		departure.Status = x.Status()
		x.AnswerDepartures = append(x.AnswerDepartures, x.masked(departure))
	}
}

// DepartInService is Depart, from what the orchestratord in service takes.
func (x *Exchange) DepartInService(departures ...drift.Departure) {
	for _, departure := range departures {
		x.Refused = append(x.Refused, x.masked(departure))
	}
}

func (x *Exchange) masked(departure drift.Departure) drift.Departure {
	departure.Operation = x.OperationID()
	for _, text := range []*string{&departure.Pointer, &departure.Expected, &departure.Got} {
		masked := masking.Text(*text, x.Request.Header, x.Request.URL.RawQuery)
		*text = foreign.Cut(foreign.Line(masked), spec.Control().MaxDeparture)
	}
	return departure
}

// Quote returns what may be repeated of a text that the client sent: not too much, and no
// credentials (CLOUD-4013). Those are masked first: what a cut leaves of one could not be
// recognised.
func (x *Exchange) Quote(text string) string {
	const quoted = 128 // characters
	return foreign.Cut(masking.Text(text, x.Request.Header, x.Request.URL.RawQuery), quoted)
}

// UntilClosed returns a context that ends with ctx, or when the server is closed.
func (x *Exchange) UntilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(x.life, cancel)
	return ctx, func() { detach(); cancel() }
}

// Of returns the exchange of a request, and nil when the request has ended.
func Of(r *http.Request) *Exchange { return In(r.Context()) }

// In returns the exchange of the request that a context belongs to.
func In(ctx context.Context) *Exchange {
	x, _ := ctx.Value(key{}).(*Exchange)
	return x
}

type key struct{}

// Pool holds exchanges that wait for a request.
type Pool struct {
	settings *settings.Store
	log      *slog.Logger
	life     context.Context // of the server
	idle     sync.Pool
}

// NewPool returns a pool. What exchanges keep waiting ends with life.
func NewPool(life context.Context, store *settings.Store, log *slog.Logger) *Pool {
	return &Pool{life: life, settings: store, log: log}
}

// Begin returns the exchange of a new request, and sets the headers that every answer has.
func (p *Pool) Begin(w http.ResponseWriter, r *http.Request) *Exchange {
	if r.Header["Expect"] != nil { // whereupon the HTTP server sends something before the answer
		SetDeadline(w)
	}
	x, ok := p.idle.Get().(*Exchange)
	if !ok {
		x = &Exchange{Route: chi.NewRouteContext()}
	}
	x.Began = time.Now()
	x.Settings, x.log, x.life = p.settings.Load(), p.log, p.life
	x.carrier = &carrier{Context: r.Context()}
	x.carrier.exchange.Store(x)
	x.Request, x.Client = r.WithContext(x.carrier), w
	x.CorrelationID = correlationID(r.Header)
	x.Sign()
	return x
}

// Sign sets the headers that every answer of the mock has.
func (x *Exchange) Sign() {
	header := x.Client.Header()
	header[noSniff] = nosniff
	header[spec.Nodes().CorrelationHeader] = []string{x.CorrelationID}
}

// Unsign takes those headers away: the answer is going to be another's.
func (x *Exchange) Unsign() {
	header := x.Client.Header()
	delete(header, noSniff)
	delete(header, spec.Nodes().CorrelationHeader)
}

const noSniff = "X-Content-Type-Options"

// nosniff keeps browsers from taking an answer for anything but its content type. It is
// shared by all answers, and never edited.
var nosniff = []string{"nosniff"}

// End makes an exchange ready for another request. Whoever has the context of the one that has
// ended finds no exchange in it from now on.
func (p *Pool) End(x *Exchange) {
	x.carrier.exchange.Store(nil)
	x.Answer.begin(nil)
	x.Route.Reset()
	*x = Exchange{Answer: x.Answer, RequestBody: reusable(x.RequestBody), Route: x.Route}
	p.idle.Put(x)
}

// reusable empties a buffer. It drops a large one: few requests need it.
func reusable(buffer []byte) []byte {
	if cap(buffer) > KeptBuffer {
		return nil
	}
	return buffer[:0]
}

// KeptBuffer is the size in bytes up to which buffers are used again.
const KeptBuffer = 64 << 10

// carrier is the context of a request that has an exchange. Unlike the exchange it is not
// pooled, since contexts that are derived from it may outlive the request.
type carrier struct {
	context.Context
	exchange atomic.Pointer[Exchange]
}

// Value finds the exchange, and the state of the router, for which chi would make a context of
// its own.
func (c *carrier) Value(k any) any {
	switch k {
	case key{}:
		return c.exchange.Load()
	case chi.RouteCtxKey:
		if x := c.exchange.Load(); x != nil {
			return x.Route
		}
	}
	return c.Context.Value(k)
}

// correlationID returns the correlation id of a request. It is its own, if it has one that
// fits the document and no other, or else a new one.
func correlationID(header http.Header) string {
	given := header[spec.Nodes().CorrelationHeader]
	if len(given) == 1 && nodeapi.ValidCorrelationID(given[0]) {
		return given[0]
	}
	return newCorrelationID()
}

// newCorrelationID returns an id that no other request has. It is no secret.
func newCorrelationID() string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return hex.EncodeToString(id[:])
}
