package mockserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// disturb has the faults that are switched on act on a request, if they fit it. What answer
// answers has been checked against the document by then; what becomes of it here is not.
func (s *Server) disturb(x *exchange, answer func()) {
	s.readAhead(x, x.request)
	serve := func() {
		x.requestBody = x.requestBody[:0] // it is read again
		answer()
	}
	verdict, acts := s.faults.Decide(control.Operation(x.operationID()), x.nodeID)
	if !acts {
		serve()
		return
	}
	x.fault = verdict.Fault
	disturbance{s, x, verdict, x.request, serve}.strike()
}

// disturbance is a request that a fault acts on.
type disturbance struct {
	server  *Server
	x       *exchange
	verdict faults.Verdict
	request *http.Request
	serve   func() // does what was asked, and answers it
}

// strike carries a verdict out. A connection that is to break does so in place of the
// answer, once the journal knows.
func (d disturbance) strike() {
	d.logStrike()
	ctx, cancel := d.server.untilClosed(d.request.Context())
	defer cancel()
	d.takeTime()
	if !pause(ctx, d.verdict.Latency) {
		d.dropAnswer()
		return
	}
	if valueOr(d.verdict.Effect.Restart, false) {
		d.server.cluster.Clear()
		d.server.journal.Control(d.server.clock.Now(), "all nodes forgotten, by fault "+d.verdict.Fault)
	}
	switch valueOr(d.verdict.Effect.Connection, "") {
	case control.FaultEffectConnectionResetBefore:
		d.dropAnswer()
	case control.FaultEffectConnectionResetAfter:
		d.serve()
		d.dropAnswer()
	case control.FaultEffectConnectionHang:
		d.releaseBody()
		<-ctx.Done()
		d.dropAnswer()
	default:
		d.respond()
		d.spoil()
	}
}

// releaseBody gives back the memory and the place of a large body that nobody will read: its
// client may hang for as long as it likes.
func (d disturbance) releaseBody() {
	if !d.x.large {
		return
	}
	d.x.bodySize = len(d.x.requestBody)
	d.x.requestBody = slices.Clone(d.x.requestBody[:min(d.x.bodySize, keptBuffer)]) // the journal keeps less
	d.request.Body = http.NoBody
	d.server.releaseRoom(d.x)
}

// respond answers with the problem or the rejection that the effect states, or else as if
// there were no fault.
func (d disturbance) respond() {
	effect := d.verdict.Effect
	switch {
	case effect.Status != nil:
		d.server.tell(&d.x.answer, d.request, d.refusal(int(*effect.Status)))
	case valueOr(effect.Reject, false) && d.x.operationID() == string(control.OperationRegisterNode) && d.x.nodeID != "":
		rejection := nodeapi.RegisterResponse{NodeID: d.x.nodeID, Message: d.reason()}
		if err := (api.RegisterNode200JSONResponse{Body: rejection}).VisitRegisterNodeResponse(&d.x.answer); err != nil {
			d.server.logFault(d.request, err)
		}
	default:
		d.serve()
	}
}

// refusal returns the problem of a status, with the headers that the document wants for it.
func (d disturbance) refusal(status int) *problem {
	p := newProblem(codeOf(status), "%s", d.reason())
	p.status = status
	switch status {
	case http.StatusUnauthorized:
		p.with("WWW-Authenticate", `Bearer realm="orchestratord", error="invalid_token"`)
	case http.StatusMethodNotAllowed:
		p.with("Allow", strings.Join(methods(d.server.router, d.request), ", "))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		p.with("Retry-After", "1") // unless the effect states another
	}
	return p
}

func (d disturbance) reason() string {
	return valueOr(d.verdict.Effect.Detail, fmt.Sprintf("the mock's fault %q acts", d.verdict.Fault))
}

// spoil changes the answer, and how it is sent. One without a body stays without.
func (d disturbance) spoil() {
	effect := d.verdict.Effect
	if effect.RetryAfterS != nil {
		d.x.header.Set("Retry-After", strconv.Itoa(int(*effect.RetryAfterS)))
	}
	if d.x.body.Len() == 0 {
		return
	}
	if effect.ContentType != nil {
		d.x.header.Set("Content-Type", *effect.ContentType)
	}
	if effect.Body != nil {
		d.spoilBody(*effect.Body)
	}
}

func (d disturbance) spoilBody(how control.FaultEffectBody) {
	if d.x.rest != nil {
		if err := d.x.rest(&d.x.body); err != nil {
			d.server.logFault(d.request, err)
		}
		d.x.rest = nil
	}
	switch how {
	case control.FaultEffectBodyEmpty:
		d.x.body.Reset()
	case control.FaultEffectBodyGarbage:
		d.x.body.Reset()
		d.x.body.WriteString(garbage)
	case control.FaultEffectBodyTruncated:
		d.x.transmit = d.truncate
	case control.FaultEffectBodyTrickle:
		d.x.transmit = d.trickle
	}
}

// garbage is neither JSON nor UTF-8, nor a page as what sits between client and server
// might send.
const garbage = "<html>\x00\xff{\"]</"

// truncate sends half of the answer's body, and breaks off.
func (d disturbance) truncate(client http.ResponseWriter) {
	d.sendHead(client)
	sendNow(client, d.x.body.Bytes()[:d.x.body.Len()/2])
	panic(http.ErrAbortHandler)
}

// trickle sends the answer's body byte by byte.
func (d disturbance) trickle(client http.ResponseWriter) {
	ctx, cancel := d.server.untilClosed(d.request.Context())
	defer cancel()
	interval := time.Duration(valueOr(d.verdict.Effect.TrickleMs, trickleMs)) * time.Millisecond
	d.sendHead(client)
	for i := range d.x.body.Bytes() {
		if i > 0 && !pause(ctx, interval) {
			panic(http.ErrAbortHandler)
		}
		sendNow(client, d.x.body.Bytes()[i:i+1])
	}
}

// trickleMs is the time between the bytes of a body that trickles, unless stated.
const trickleMs = 100

// sendHead sends what comes before the body, and how long that should be.
func (d disturbance) sendHead(client http.ResponseWriter) {
	client.Header().Set("Content-Length", strconv.Itoa(d.x.body.Len()))
	client.WriteHeader(d.x.status)
}

// sendNow sends bytes at once. An error means that the client has gone.
func sendNow(client http.ResponseWriter, text []byte) {
	_, _ = client.Write(text)
	_ = http.NewResponseController(client).Flush()
}

// takeTime lifts the deadlines of the connection, which may be shorter than what a fault
// takes. It is up to the client to lose patience.
func (d disturbance) takeTime() {
	connection := http.NewResponseController(d.x.client)
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Time{})
}

// dropAnswer has the connection reset in place of the answer, whatever that was to be.
func (d disturbance) dropAnswer() {
	d.x.begin(http.Header{})
	d.x.transmit = reset
}

// reset resets the connection, as far as that is possible: one that does not belong to
// this request alone, as in HTTP/2, is left to the server.
func reset(client http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(client).Hijack(); err == nil {
		if over, ok := connection.(*tls.Conn); ok {
			connection = over.NetConn()
		}
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // what makes Close send a reset
		}
		_ = connection.Close()
	}
	panic(http.ErrAbortHandler)
}

func (d disturbance) logStrike() {
	d.server.log.LogAttrs(d.request.Context(), slog.LevelInfo, "fault acts",
		slog.String("fault", d.verdict.Fault),
		slog.String("operation", d.x.operationID()),
		slog.String("node_id", d.x.nodeID),
		correlationAttr(d.x.correlationID))
}

// readAhead reads the body of a request, which is there to be read again, and finds out
// which node registers. With its body read, the server notices when the client hangs up.
func (s *Server) readAhead(x *exchange, r *http.Request) {
	bounded := io.LimitReader(r.Body, s.bodyLimit+1)
	roomy := &roomyReader{Reader: bounded, makeRoom: func() error { return s.makeRoom(x, r) }}
	text, _ := io.ReadAll(roomy) // an error comes again when it is read again
	r.Body = readAgain{io.MultiReader(bytes.NewReader(text), r.Body), r.Body}
	x.requestBody = append(x.requestBody[:0], text...)
	var registration nodeapi.RegisterRequest
	if x.operationID() == string(control.OperationRegisterNode) {
		_ = json.Unmarshal(text, &registration) // what is wrong with it, others tell
		x.nodeID = spec.FitNodeID(registration.NodeID)
	}
}

type readAgain struct {
	io.Reader
	io.Closer
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
