package mockserver

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// controls answers requests of the control API that keep its contract.
type controls struct{ *Server }

var _ controlapi.StrictServerInterface = controls{}

// controlAPI returns the control API.
func (s *Server) controlAPI(handlers controlapi.StrictServerInterface) *chi.Mux {
	router := chi.NewRouter()
	router.NotFound(s.serveControl(notFound).ServeHTTP)
	router.MethodNotAllowed(s.serveControl(methodNotAllowed(router)).ServeHTTP)
	strict := controlapi.NewStrictHandlerWithOptions(handlers, nil, controlapi.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  setFailure,
		ResponseErrorHandlerFunc: setFailure,
	})
	controlapi.HandlerWithOptions(strict, controlapi.ChiServerOptions{
		BaseRouter: router.With(func(operation http.Handler) http.Handler {
			return s.serveControl(s.authenticateControl, checkControlRequest, perform(operation))
		}),
		ErrorHandlerFunc: setFailure,
	})
	return router
}

// serveControl takes a request of the control API through steps. The guard comes first, even
// where there is nothing, so that a stray page learns nothing.
func (s *Server) serveControl(steps ...step) http.Handler {
	guarded := append([]step{s.guard.check}, steps...)
	return s.hold(spec.Control, func(x *exchange) { s.take(x, s.checkControlAnswer, guarded...) }, nil)
}

// divert takes requests to the control API that are at or below its first path.
func divert(api *chi.Mux) func(next http.Handler) http.Handler {
	root := rootOf(api)
	below := root + "/"
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == root || strings.HasPrefix(r.URL.Path, below) {
				api.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// rootOf returns the path that is above all others of a router.
func rootOf(router *chi.Mux) string {
	root := ""
	_ = chi.Walk(router, func(_, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if root == "" || len(path) < len(root) {
			root = path
		}
		return nil
	})
	return root
}

// note writes into the journal and the log what was done through the control API.
func (c controls) note(ctx context.Context, format string, args ...any) {
	summary := fmt.Sprintf(format, args...)
	c.journal.Control(c.clock.Now(), summary)
	c.log.LogAttrs(ctx, slog.LevelInfo, "control", slog.String("action", summary))
}

// GetOverview sums up the mock.
func (c controls) GetOverview(context.Context, controlapi.GetOverviewRequestObject) (controlapi.GetOverviewResponseObject, error) {
	totals := c.cluster.Totals()
	return controlapi.GetOverview200JSONResponse{
		Version:        version(),
		StartedAtMs:    c.started.Now.UnixMilli(),
		Clock:          c.clockState(),
		Settings:       toldSettings(c.settings.Load()),
		Nodes:          toldCounts(totals.Nodes),
		PoolsAvailable: int64(totals.PoolsAvailable),
		Journal:        c.journal.Counts(),
		Drift:          int64(len(c.drift.Report().Entries)),
		Faults:         c.faults.Enabled(),
	}, nil
}

func toldCounts(nodes map[nodeapi.NodeStatus]int) control.NodeCounts {
	told := control.NodeCounts{
		Registering: int64(nodes[nodeapi.NodeStatusRegistering]),
		Online:      int64(nodes[nodeapi.NodeStatusOnline]),
		Draining:    int64(nodes[nodeapi.NodeStatusDraining]),
		Offline:     int64(nodes[nodeapi.NodeStatusOffline]),
		Failed:      int64(nodes[nodeapi.NodeStatusFailed]),
	}
	told.Total = told.Registering + told.Online + told.Draining + told.Offline + told.Failed
	return told
}

// version returns the version of the program, as far as its build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Reset makes everything as it was at the start. What requests in flight add to comes
// last, so that they do so under the old rules no longer.
func (c controls) Reset(ctx context.Context, _ controlapi.ResetRequestObject) (controlapi.ResetResponseObject, error) {
	if err := c.resetClock(); err != nil {
		return nil, err
	}
	_, _ = c.changeSettings(func(next *settings) error { // fails only if the edit does
		*next = c.start
		return nil
	})
	c.faults.Reset()
	c.cluster.Clear()
	c.drift.Clear()
	c.journal.Clear()
	c.note(ctx, "reset")
	return controlapi.Reset204Response{}, nil
}

// untilClosed returns a context that ends with the other, and when the server is closed.
func (s *Server) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(s.life, cancel)
	return ctx, func() { detach(); cancel() }
}

// valueOr returns what an optional field holds, or a value for when it is missing.
func valueOr[T any](field *T, missing T) T {
	if field == nil {
		return missing
	}
	return *field
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
