// Package nodes serves the API of nodes. A fault that is switched on may answer a call, or corrupt
// its answer. The other calls go through the same steps, or are relayed to the orchestratord that the
// mock stands in front of. What became of each call is written down.
package nodes

import (
	"cmp"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Config is what the API of nodes acts on.
type Config struct {
	Cluster   *cluster.Cluster
	Clock     *clock.Clock
	Journal   *journal.Journal
	Drift     *drift.Record
	Refused   *drift.Record // what the orchestratord in service would refuse
	Faults    *faults.Set
	Settings  *settings.Store
	Log       *slog.Logger
	Guard     exchange.Guard
	BodyLimit int64 // bytes

	Upstream *upstream.Upstream // the orchestratord that answers; nil if the mock does
	Answers  *drift.Record      // of its answers from the document
}

// API serves the calls of nodes.
type API struct {
	Config
	metrics     *metrics
	router      *chi.Mux
	operations  []chi.Route // with the handlers that calls reach past the router
	largeBodies places
	closeLooks  places
}

// New returns the API of nodes.
func New(config Config) *API {
	return &API{
		Config:      config,
		metrics:     newMetrics(config.Cluster, config.Settings),
		largeBodies: make(places, largeBodies),
		closeLooks:  make(places, closeLooks),
	}
}

// Mount adds the routes of nodes to a router, and what answers requests that have none.
func (a *API) Mount(router *chi.Mux) {
	a.router = router
	if a.Upstream != nil {
		a.mountRelay(router)
		return
	}
	router.Use(a.reroute(a.miss(a.noMethod)))
	router.NotFound(a.miss(a.noOperation))
	router.MethodNotAllowed(a.miss(a.noMethod))
	server := api.Server{Operations: operations{a}, Unbound: unbindable, Failed: exchange.SetFailure}
	server.Route(router.With(a.serve))
	a.operations = router.Routes()
}

// mountRelay adds the same routes, and has all calls passed on.
func (a *API) mountRelay(router *chi.Mux) {
	relay := exchange.Hold(documentOf, a.relay, a.countRelayed)
	router.Use(a.reroute(relay))
	router.NotFound(relay.ServeHTTP)
	router.MethodNotAllowed(relay.ServeHTTP)
	new(api.Server).Route(router.With(func(http.Handler) http.Handler { return relay })) // which calls no operation
	a.operations = router.Routes()
}

// serve returns a handler for the calls of an operation. A call is written down before it is
// answered, even if it panics, and counted after that.
func (a *API) serve(operation http.Handler) http.Handler {
	// The order is orchestratord's: 401, then 415, 413, 400 and 422, then 503, then 404.
	steps := []exchange.Step{
		a.checkPath, noteHead, authenticate, readPath, a.checkBody, checkProfile,
		exchange.Perform(operation), a.noteAccepted,
	}
	return exchange.Hold(documentOf, func(x *exchange.Exchange) {
		defer a.record(x)
		defer a.releaseRoom(x)
		about(x, spec.Nodes().NodeInPath(x.Request))
		if err := a.Guard.CheckNodes(x); err != nil {
			x.Fail(err)
			return
		}
		if a.Faults.Idle() {
			a.take(x, steps...)
			return
		}
		a.inject(x, func(*control.FaultEffect) { a.take(x, steps...) })
	}, a.metrics.count)
}

// reroute leads requests where the router of the dialect's orchestratord would. Those with another
// method than their path knows go to noMethod.
func (a *API) reroute(noMethod http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := exchange.Of(r)
			method, found := dialectOf(x).route(r)
			if !found {
				noMethod.ServeHTTP(w, r)
				return
			}
			if operation := a.operation(x.Route, method, r); operation != nil {
				operation.ServeHTTP(w, r)
				return
			}
			x.Route.RouteMethod = method
			next.ServeHTTP(w, r)
		})
	}
}

// operation returns what serves a request that fits an operation, nil if it fits none. The router would lead
// there too, but for each request it makes a map of what stands in the path, which nobody reads.
func (a *API) operation(route *chi.Context, method string, r *http.Request) http.Handler {
	pattern := a.router.Find(route, method, cmp.Or(r.URL.RawPath, r.URL.Path))
	for _, operation := range a.operations {
		if operation.Pattern == pattern {
			r.Pattern = pattern
			return operation.Handlers[method]
		}
	}
	route.Reset()
	return nil
}

// miss returns a handler for requests that fit no operation.
func (a *API) miss(refuse exchange.Step) http.HandlerFunc {
	return exchange.Hold(documentOf, func(x *exchange.Exchange) {
		defer a.record(x)
		a.take(x, dialectOf(x).unrouted(refuse)...)
	}, nil).ServeHTTP
}

// take takes a request through steps, and checks what is answered.
func (a *API) take(x *exchange.Exchange, steps ...exchange.Step) {
	err := a.run(x, steps...)
	if err != nil {
		x.Fail(err)
	}
	dialectOf(x).finish(x, err)
	x.Settle(nil, checkAnswer)
}

func (a *API) run(x *exchange.Exchange, steps ...exchange.Step) error {
	defer a.noteDrift(x) // before the log has the refusal, and even if the connection is cut
	return x.Run(steps...)
}

// checkPath refuses requests whose path lacks a parameter.
func (a *API) checkPath(x *exchange.Exchange) error {
	if x.LacksParameter() {
		return a.noOperation(x)
	}
	return nil
}

// readPath refuses requests whose path the dialect's orchestratord cannot read.
func readPath(x *exchange.Exchange) error { return dialectOf(x).readPath(x) }

// noOperation refuses requests that have the path of no operation.
func (a *API) noOperation(x *exchange.Exchange) error {
	a.notePath(x)
	return exchange.NotFound(x)
}

// noMethod refuses requests that have the path of an operation, and not its method.
func (a *API) noMethod(x *exchange.Exchange) error {
	allowed := dialectOf(x).methods(a.router, x.Request)
	a.noteMethod(x, allowed)
	return exchange.OtherMethod(x, allowed)
}

// authenticate refuses requests without a valid token (CLOUD-4005), if the mock has tokens.
func authenticate(x *exchange.Exchange) error {
	if len(x.Settings.Tokens) == 0 {
		return nil
	}
	check := exchange.TokenCheck{
		Realm: "orchestratord", Required: "this orchestratord requires a token", Valid: x.Settings.Tokens,
	}
	return check.Check(dialectOf(x).bearer(x.Request.Header))
}

// checkProfile refuses every request while the cloud profile is off.
func checkProfile(x *exchange.Exchange) error {
	if x.Settings.CloudProfile {
		return nil
	}
	return exchange.NewProblem(nodeapi.ProblemCodeCloudProfileDisabled,
		"the cloud profile of this orchestratord is switched off").With("Retry-After", retryAfter(x))
}

// retryAfter says when a client may ask again: when its next heartbeat would be due.
func retryAfter(x *exchange.Exchange) string {
	return strconv.Itoa(int(math.Ceil(x.Settings.HeartbeatInterval.Seconds())))
}

// unbindable reports a body that does not fit the generated types. That takes a server without
// validation: whatever the validator lets pass, the types can hold.
func unbindable(w http.ResponseWriter, r *http.Request, err error) {
	exchange.SetFailure(w, r, exchange.ViolationProblem(nodeapi.Violation{Detail: err.Error()}))
}

// checkAnswer returns how the answer breaks the document. A body that has been checked needs no
// second look under two conditions: the generated server has chosen status and content type, and
// there is no header but the correlation id, which is valid.
func checkAnswer(x *exchange.Exchange) error {
	if !x.IsChecked() || x.IsTyped() && x.Operation.IsPlain(x.Status()) {
		return nil
	}
	operation := x.Operation
	if readPath(x) != nil { // it is of no operation
		operation = nil
	}
	return documentOf(x).CheckAnswer(operation, x.Status(), x.Header(), x.Body())
}
