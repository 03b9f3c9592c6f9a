// Package controls serves the control API, by which tests, tools and the dashboard look into the
// mock and drive it.
package controls

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// Config is what the control API acts on.
type Config struct {
	Cluster  *cluster.Cluster
	Clock    *clock.Clock
	Journal  *journal.Journal
	Drift    *drift.Record
	Refused  *drift.Record // what the orchestratord in service would have refused
	Faults   *faults.Set
	Settings *settings.Store
	Log      *slog.Logger
	Guard    exchange.Guard
	Token    []settings.Digest // one or none

	Watch   *upstream.Watch // of the orchestratord that answers nodes; nil if the mock does
	Answers *drift.Record   // of its answers from the document
}

// API serves the control API.
type API struct {
	Config
	start   settings.Settings // what Reset goes back to
	started clock.State
	streams chan struct{} // holds one for each stream that is open
	guesses guesses       // of the token
}

// New returns the control API of a mock that starts now.
func New(config Config) *API {
	return &API{
		Config:  config,
		start:   *config.Settings.Load(),
		started: config.Clock.State(),
		streams: make(chan struct{}, maxStreams),
	}
}

// Router returns the routes of the API. Each of them takes a request through steps of its own, and
// holds the answer back: no middleware is needed.
func (a *API) Router() *chi.Mux { return a.RouterOf(operations{a}) }

// RouterOf is Router with other handlers, such as broken ones in a test.
func (a *API) RouterOf(handlers controlapi.StrictServerInterface) *chi.Mux {
	router := chi.NewRouter()
	router.NotFound(a.serve(exchange.NotFound).ServeHTTP)
	router.MethodNotAllowed(a.serve(exchange.MethodNotAllowed(router)).ServeHTTP)
	server := controlapi.Server{Operations: handlers, Unbound: exchange.SetFailure, Failed: exchange.SetFailure}
	server.Route(router.With(func(operation http.Handler) http.Handler {
		return a.serve(a.authenticate, checkRequest, exchange.Perform(operation))
	}))
	return router
}

// Root returns the shortest path of a router, which is the prefix of all others.
func Root(router *chi.Mux) string {
	root := ""
	_ = chi.Walk(router, func(_, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if root == "" || len(path) < len(root) {
			root = path
		}
		return nil
	})
	return root
}

// serve returns a handler that takes a request through steps. The guard comes first, even for paths
// that do not exist, so that a stray page learns nothing.
func (a *API) serve(steps ...exchange.Step) http.Handler {
	guarded := append([]exchange.Step{a.Guard.Check}, steps...)
	return exchange.Hold(documentOf, func(x *exchange.Exchange) { x.Settle(x.Run(guarded...), a.checkAnswer) }, nil)
}

func documentOf(*exchange.Exchange) *spec.Document { return spec.Control() }

// authenticate refuses requests without the control token, if there is one. Guesses have to wait.
func (a *API) authenticate(x *exchange.Exchange) error {
	check := exchange.TokenCheck{
		Realm: "mock-control", Required: "this mock requires its control token", Valid: a.Token,
	}
	token, guess := exchange.Bearer(x.Request.Header)
	if !guess || len(a.Token) == 0 {
		return check.Check(token, guess)
	}
	right, err := a.guesses.turn(x.Request.Context(), addressOf(x.Request))
	if err != nil {
		return err
	}
	if err := check.Check(token, guess); err != nil {
		return err
	}
	right()
	return nil
}

// checkAnswer returns how the answer breaks the document. Of a stream, whose body comes later, it checks
// the head. While a node breaks the document, answers may show it as it is.
func (a *API) checkAnswer(x *exchange.Exchange) error {
	if x.IsStream() {
		return x.Operation.CheckAnswerHead(x.Status(), x.Header())
	}
	err := spec.Control().CheckAnswer(x.Operation, x.Status(), x.Header(), x.Body())
	if !x.IsChecked() || err != nil && slices.ContainsFunc(a.Cluster.Nodes(), cluster.Invalid) {
		return nil
	}
	return err
}

// operations answers requests that keep the document. It is a type of its own so that its methods
// are none of API's.
type operations struct{ *API }

var _ controlapi.StrictServerInterface = operations{}

// note writes into the journal and the log what was done through the control API.
func (o operations) note(ctx context.Context, format string, args ...any) {
	summary := fmt.Sprintf(format, args...)
	o.Journal.Control(o.Clock.Now(), summary)
	o.Log.LogAttrs(ctx, slog.LevelInfo, "control", slog.String("action", summary))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
