package nodes

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// inject has the faults that are switched on act on a request, if they fit it. What answer
// answers has been checked against the document by then; what becomes of it here is not.
// The effect that answer gets is that of the fault that acts, or nil.
func (a *API) inject(x *exchange.Exchange, answer func(effect *control.FaultEffect)) {
	a.readAhead(x)
	serve := func(effect *control.FaultEffect) {
		x.RewindBody()
		answer(effect)
	}
	verdict, acts := a.Faults.Decide(control.Operation(x.OperationID()), x.NodeID)
	if !acts {
		serve(nil)
		return
	}
	x.Fault = verdict.Fault
	fault{a, x, verdict, func() { serve(&verdict.Effect) }}.act()
}

// readAhead reads the body of a request, and finds out which node registers. With its body read,
// the server notices when the client hangs up.
func (a *API) readAhead(x *exchange.Exchange) {
	body := a.roomy(x, io.LimitReader(x.Request.Body, a.BodyLimit+1))
	if a.Upstream != nil {
		body = io.LimitReader(x.Request.Body, upstream.Kept) // the rest is read as it is sent on
	}
	_ = x.ReadBody(body) // an error comes again when it is read again
	if x.OperationID() == string(control.OperationRegisterNode) {
		var registration nodeapi.RegisterRequest
		_ = exactjson.Unmarshal(x.RequestBody, &registration) // what is wrong with it, a later step reports
		about(x, registration.NodeID)
	}
}

// fault is a fault that acts on a request.
type fault struct {
	*API
	x       *exchange.Exchange
	verdict faults.Verdict
	serve   func() // does what was asked, and answers it
}

// act carries the verdict out. A connection that is to break does so in place of the answer, once
// the journal has the request.
func (f fault) act() {
	f.log()
	ctx, cancel := f.x.UntilClosed(f.x.Request.Context())
	defer cancel()
	f.liftDeadline()
	if !pause(ctx, f.verdict.Latency) {
		f.dropAnswer()
		return
	}
	if optional.Or(f.verdict.Effect.Restart, false) {
		f.Cluster.Clear()
		f.Journal.Control(f.Clock.Now(), "all nodes forgotten, by fault "+f.verdict.Fault)
	}
	switch optional.Or(f.verdict.Effect.Offline, "") {
	case control.FaultEffectOfflineNode:
		f.Cluster.WriteOff(f.x.NodeID)
	case control.FaultEffectOfflineAll:
		f.Cluster.WriteOffAll()
	}
	switch optional.Or(f.verdict.Effect.Connection, "") {
	case control.FaultEffectConnectionResetBefore:
		f.dropAnswer()
	case control.FaultEffectConnectionResetAfter:
		f.serve()
		f.dropAnswer()
	case control.FaultEffectConnectionHang:
		f.releaseBody()
		<-ctx.Done()
		f.dropAnswer()
	default:
		f.respond()
		f.corrupt()
		f.part()
	}
}

func (f fault) log() {
	f.Log.LogAttrs(f.x.Request.Context(), slog.LevelInfo, "fault acts",
		slog.String("fault", f.verdict.Fault),
		slog.String("operation", f.x.OperationID()),
		slog.String("node_id", f.x.NodeID),
		f.x.CorrelationAttr())
}

// releaseBody gives back the memory and the place of a large body that nobody will read. Its
// client may hang for as long as it likes.
func (f fault) releaseBody() {
	if f.x.Large {
		f.x.DropBody()
		f.releaseRoom(f.x)
	}
}

// liftDeadline lifts the deadline of the answer, which may be shorter than what a fault takes. It is up
// to the client to give up.
func (f fault) liftDeadline() {
	_ = http.NewResponseController(f.x.Client).SetWriteDeadline(time.Time{})
}

// respond answers with the text, the problem or the rejection that the effect states, or else as
// if there were no fault.
func (f fault) respond() {
	effect := f.verdict.Effect
	switch {
	case effect.Text != nil:
		f.interpose(int(*effect.Status), *effect.Text)
	case effect.Status != nil:
		refusal := f.refusal(int(*effect.Status))
		f.x.WriteProblem(f.x, refusal)
		dialectOf(f.x).finish(f.x, refusal)
	case optional.Or(effect.Reject, false) && f.x.OperationID() == string(control.OperationRegisterNode) &&
		f.x.NodeID != "":
		rejection := nodeapi.RegisterResponse{NodeID: f.x.NodeID, Message: f.reason()}
		if err := api.RegisterNode200JSONResponse(rejection).VisitRegisterNodeResponse(f.x); err != nil {
			f.x.LogInternalError(err)
		}
	default:
		f.serve()
	}
}

// interpose answers as what sits between node and orchestratord.
func (f fault) interpose(status int, text string) {
	f.x.Header().Del(spec.Nodes().CorrelationHeader)
	f.x.Header().Set("Content-Type", "text/plain; charset=utf-8")
	f.x.WriteHeader(status)
	_, _ = io.WriteString(f.x, text) // which is held back, and cannot fail
}

// refusal returns the problem of a status, with the headers that the document requires for it.
func (f fault) refusal(status int) *exchange.Problem {
	p := exchange.NewProblem(exchange.CodeOf(status), "%s", f.reason())
	p.Status = status
	switch status {
	case http.StatusUnauthorized:
		p.With("WWW-Authenticate", `Bearer realm="orchestratord", error="invalid_token"`)
	case http.StatusMethodNotAllowed:
		p.With("Allow", strings.Join(dialectOf(f.x).methods(f.router, f.x.Request), ", "))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		p.With("Retry-After", "1") // unless the effect states another
	}
	return p
}

func (f fault) reason() string {
	return optional.Or(f.verdict.Effect.Detail, fmt.Sprintf("the mock's fault %q acts", f.verdict.Fault))
}

// pause waits. It reports false if ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
