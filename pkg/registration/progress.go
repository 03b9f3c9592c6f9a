package registration

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// phase is how far a request got.
type phase int32

const (
	fetchingToken phase = iota
	connecting          // or sent, by a transport that does not report its connections
	awaitingAnswer
)

func (p phase) String() string {
	return [...]string{"the token source did not return", "no connection", "no answer"}[p]
}

const (
	// maxNewConnections is how many new connections one attempt may get through. The one
	// that is being dialled when the attempt ends comes on top of them.
	maxNewConnections = 2
	// maxConnections is how many it may ask for in all. Those are more: net/http asks again
	// for each kept connection that has ended, and a client that is shared may have many.
	maxConnections = 256
)

var errManyConnections = errors.New("each new connection was closed before it carried an answer")

// progress follows a request on its way, as the transport reports it: the errors of an unknown
// name, a proxy that is down and a certificate that is not trusted have little in common. The
// sender and whoever gives up on it may look at it at once.
type progress struct {
	end        context.CancelCauseFunc // ends the request
	ids        [2]string               // correlation ids of the tries
	try        atomic.Int32            // which of them
	phase      atomic.Int32
	wanted     atomic.Int32 // connections that the transport asked for
	handshakes atomic.Int32 // TLS handshakes, each for a new connection
	dials      atomic.Int32 // the same for HTTP/2 in clear text, where there is no handshake
	fresh      atomic.Int32 // new connections that it got, also those without TLS
	trace      httptrace.ClientTrace
	inClear    bool                    // HTTP/2 without TLS is spoken
	http2      atomic.Bool             // it was sent over HTTP/2
	decided    atomic.Pointer[outcome] // of the try, by the status of its answer, nil for none yet
}

// watch returns the context of a request to be followed, which may be sent over HTTP/2 in clear text.
func (p *progress) watch(ctx context.Context, inClear bool) context.Context {
	p.inClear = inClear
	p.trace = httptrace.ClientTrace{GetConn: p.getConn, GotConn: p.gotConn, TLSHandshakeStart: p.handshake}
	if inClear {
		p.trace.ConnectDone = p.dialled // of the others each call would pay for it
	}
	return httptrace.WithClientTrace(ctx, &p.trace)
}

// getConn ends a request that takes too many connections. Package net/http dials anew without
// a pause, and without end, while a server closes each HTTP/2 connection with GOAWAY.
func (p *progress) getConn(string) {
	made := max(p.handshakes.Load(), p.dials.Load(), p.fresh.Load())
	if p.wanted.Add(1) > maxConnections || made >= maxNewConnections {
		p.end(errManyConnections)
	}
}

func (p *progress) handshake() { p.handshakes.Add(1) }

func (p *progress) dialled(_, _ string, err error) {
	if err == nil {
		p.dials.Add(1)
	}
}

func (p *progress) gotConn(info httptrace.GotConnInfo) {
	p.phase.Store(int32(awaitingAnswer))
	p.http2.Store(speaksHTTP2(info.Conn, p.inClear))
	if !info.Reused {
		p.fresh.Add(1)
	}
}

// begin starts a try under a correlation id of its own.
func (p *progress) begin(try int32) {
	p.ids[try] = rand.Text()
	p.decided.Store(nil)
	p.try.Store(try)
}

func (p *progress) id() *string { return &p.ids[p.try.Load()] }

func (p *progress) reached(phase phase) { p.phase.Store(int32(phase)) }

// mayHaveArrived reports whether orchestratord may have seen the request. A transport
// that reports no connections leaves it open.
func (p *progress) mayHaveArrived() bool {
	switch phase(p.phase.Load()) {
	case fetchingToken:
		return false
	case connecting:
		return p.wanted.Load() == 0
	default:
		return true
	}
}

// speaksHTTP2InClear reports whether a client sends requests over HTTP/2 where there is no TLS. One that
// may speak HTTP/1 does not.
func speaksHTTP2InClear(client *http.Client) bool {
	transport, ok := client.Transport.(*http.Transport)
	return ok && transport.Protocols != nil && transport.Protocols.UnencryptedHTTP2() &&
		!transport.Protocols.HTTP1()
}

func speaksHTTP2(conn net.Conn, inClear bool) bool {
	if secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return secured.ConnectionState().NegotiatedProtocol == "h2"
	}
	return inClear
}
