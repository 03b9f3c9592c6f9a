package registration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const userAgent = "llama-orch-node-registration"

// longestConnection is the age at which a connection of the node's own is replaced: the
// name of orchestratord may point elsewhere by then.
const longestConnection = 5 * time.Minute

// link sends single requests to orchestratord and reports what became of them. It repeats
// a request only for a token that was replaced. It belongs to the node's owner.
type link struct {
	api     *nodeapi.Client // nil in standalone mode
	token   TokenSource
	tracing tracing

	// busy is full while a request is under way, even one that its sender has given up on.
	busy chan struct{}
	// deadline is when the request under way has to be over, nil for none.
	deadline atomic.Pointer[time.Time]

	client    *http.Client
	connected time.Time // when the newest connection was made
	own       bool      // the client and its connections are the node's alone
	inClear   bool      // requests may be sent over HTTP/2 without TLS
	renew     bool      // the next request needs a new connection
	apart     bool      // no caller waits for the requests: each span is a trace of its own
	overtook  bool      // Notify has cut off a heartbeat since the last good one
	sent      string    // the last token that was sent
}

func newLink(c Config) (*link, error) {
	l := &link{token: c.APIToken, busy: make(chan struct{}, 1), client: c.HTTPClient}
	if c.Standalone {
		return l, nil
	}
	if l.client == nil {
		base := NewTransport(c.NodeTimeout)
		base.MaxIdleConns, base.MaxIdleConnsPerHost = 1, 1
		transport, err := c.TLS.Transport(base, c.Logger)
		if err != nil {
			return nil, err
		}
		l.client, l.own = &http.Client{Transport: transport}, true
	}
	l.inClear = speaksHTTP2InClear(l.client)
	l.tracing = newTracing(c)

	api, err := nodeapi.NewClient(c.OrchestratordURL, nodeapi.WithHTTPClient(l.client))
	l.api = api
	return l, err
}

// standalone reports whether there is no orchestratord to send anything to.
func (n *Node) standalone() bool { return n.link.api == nil }

// close closes the connections if they are the node's own. One whose HTTP/2 request was cut off
// counts as idle only a moment later.
func (l *link) close() {
	if l.own {
		l.client.CloseIdleConnections()
		time.AfterFunc(flushTimeout, l.client.CloseIdleConnections)
	}
}

func (l *link) register(ctx context.Context, end context.CancelCauseFunc, request nodeapi.RegisterRequest) outcome {
	return l.do(ctx, end, registering,
		func(ctx context.Context, id *string, edit nodeapi.RequestEditorFn) (*http.Response, error) {
			return l.api.RegisterNode(ctx, &nodeapi.RegisterNodeParams{XCorrelationID: id}, request, edit)
		})
}

func (l *link) heartbeat(
	ctx context.Context, end context.CancelCauseFunc, id string, request nodeapi.HeartbeatRequest,
) outcome {
	return l.do(ctx, end, beating,
		func(ctx context.Context, correlation *string, edit nodeapi.RequestEditorFn) (*http.Response, error) {
			return l.api.HeartbeatNode(ctx, id, &nodeapi.HeartbeatNodeParams{XCorrelationID: correlation}, request,
				edit)
		})
}

func (l *link) deregister(ctx context.Context, end context.CancelCauseFunc, id string) outcome {
	return l.do(ctx, end, deregistering,
		func(ctx context.Context, correlation *string, edit nodeapi.RequestEditorFn) (*http.Response, error) {
			return l.api.DeregisterNode(ctx, id, &nodeapi.DeregisterNodeParams{XCorrelationID: correlation}, edit)
		})
}

// do makes a request. It returns when ctx ends, even if token source, transport or body
// hang. End cancels ctx.
func (l *link) do(ctx context.Context, end context.CancelCauseFunc, op operation, send sender) outcome {
	if l.renew || l.own && time.Since(l.connected) > longestConnection {
		l.client.CloseIdleConnections()
	}
	x := &exchange{link: l, op: op, send: send, apart: l.apart, began: time.Now(), progress: progress{end: end}}
	x.progress.begin(0)
	ctx = x.progress.watch(ctx, l.inClear)
	var o outcome
	if err := l.alone(ctx, func() { x.run(ctx) }); err != nil {
		o = x.gaveUp(ctx, o, err)
	} else {
		o = x.outcome
	}
	l.learn(&x.progress, o)
	return o
}

// learn decides whether the next request needs a new connection: after a failure it does. A
// client of the caller's may be shared, so its idle connections are closed only when an
// HTTP/2 request had no answer. net/http itself drops such a connection over HTTP/1.
func (l *link) learn(p *progress, o outcome) {
	l.sent = o.token
	if p.fresh.Load() > 0 {
		l.connected = time.Now()
	}
	l.renew = o.verdict == failed && (l.own || o.status == 0 && p.http2.Load())
}

var errUnderWay = errors.New("an earlier request is still under way, although its time is over")

var errGoroutineEnded = errors.New("the HTTP transport or the token source ended its goroutine")

// alone calls f once no other call is under way, and waits for it until ctx ends. A call
// that outlasts its ctx blocks later ones: a node has one request in flight.
func (l *link) alone(ctx context.Context, f func()) error {
	select {
	case l.busy <- struct{}{}: // also if ctx has ended: nothing else is under way
	default:
		select {
		case l.busy <- struct{}{}:
		case <-ctx.Done():
			return errUnderWay
		}
	}
	deadline, _ := ctx.Deadline() // each call has one
	l.deadline.Store(&deadline)
	done := make(chan error, 1)
	go func() {
		err := errGoroutineEnded
		defer func() {
			if cause := recover(); cause != nil {
				// Its text may hold a token (CLOUD-4013).
				err = fmt.Errorf("the HTTP transport or the token source panicked, with a value of type %T", cause)
			}
			l.deadline.Store(nil)
			<-l.busy
			done <- err
		}()
		widenStack()
		f()
		err = nil
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	default:
		return context.Cause(ctx)
	}
}

// widenStack gives a goroutine the stack of a usual request in one step. Else it would grow from 2 KB in
// several, and be copied each time, deeper than before: that was a fifth of the CPU of a heartbeat.
//
//go:noinline
func widenStack() {
	var room [3 << 10]byte
	runtime.KeepAlive(&room)
}

// overdue returns how far the request under way is past its deadline, 0 if it is not.
func (l *link) overdue() time.Duration {
	deadline := l.deadline.Load()
	if deadline == nil {
		return 0
	}
	return max(time.Since(*deadline), 0)
}

// hasNewToken reports whether the token source returns another token than the one that
// was sent. A source that has not returned by the end of ctx has none.
func (l *link) hasNewToken(ctx context.Context) bool {
	fresh := make(chan string, 1)
	_ = l.alone(ctx, func() {
		if token, err := l.token.read(ctx); err == nil {
			fresh <- token
		}
	})
	select {
	case token := <-fresh:
		return token != l.sent
	default:
		return false
	}
}
