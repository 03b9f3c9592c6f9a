package nodes

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// corrupt changes the answer, and how it is sent. One without a body stays without.
func (f fault) corrupt() {
	effect := f.verdict.Effect
	if len(f.x.Body()) == 0 {
		effect.ContentType, effect.Body = nil, nil
	}
	corruptHead(f.x.Header(), &effect)
	if effect.Body != nil {
		f.corruptBody(*effect.Body)
	}
}

// corruptHead changes what comes before the body.
func corruptHead(header http.Header, effect *control.FaultEffect) {
	if effect.RetryAfterS != nil {
		header.Set("Retry-After", strconv.Itoa(int(*effect.RetryAfterS)))
	}
	if effect.ContentType != nil {
		header.Set("Content-Type", *effect.ContentType)
	}
	if optional.Or(effect.Connection, "") == control.FaultEffectConnectionGoaway {
		announceEnd(header)
	}
}

func (f fault) corruptBody(how control.FaultEffectBody) {
	if err := f.x.Complete(); err != nil {
		f.x.LogInternalError(err)
	}
	switch how {
	case control.FaultEffectBodyEmpty:
		f.x.ReplaceBody("")
	case control.FaultEffectBodyGarbage:
		f.x.ReplaceBody(garbage)
	case control.FaultEffectBodyTruncated:
		f.x.SendBy(f.truncate)
	case control.FaultEffectBodyTrickle:
		f.x.SendBy(f.trickle)
	}
}

// garbage is neither JSON nor UTF-8, nor a page as what sits between client and server
// might send.
const garbage = "<html>\x00\xff{\"]</"

// truncate sends half of the answer's body, or as much of that as is held back, and breaks off.
func (f fault) truncate(client http.ResponseWriter) {
	f.sendHead(client)
	sendNow(client, f.x.Body()[:min(f.x.BodyLength()/2, len(f.x.Body()))])
	panic(http.ErrAbortHandler)
}

// trickle sends the answer's body byte by byte, and breaks off where it is not held back.
func (f fault) trickle(client http.ResponseWriter) {
	ctx, cancel := f.x.UntilClosed(f.x.Request.Context())
	defer cancel()
	interval := time.Duration(optional.Or(f.verdict.Effect.TrickleMs, trickleMs)) * time.Millisecond
	f.sendHead(client)
	for i := range f.x.Body() {
		if i > 0 && !pause(ctx, interval) {
			panic(http.ErrAbortHandler)
		}
		sendNow(client, f.x.Body()[i:i+1])
	}
	if f.x.BodyLength() > len(f.x.Body()) {
		panic(http.ErrAbortHandler)
	}
}

// trickleMs is the time between the bytes of a body that trickles, unless stated.
const trickleMs = 100

// sendHead sends what comes before the body, and how long that should be.
func (f fault) sendHead(client http.ResponseWriter) {
	client.Header().Set("Content-Length", strconv.Itoa(f.x.BodyLength()))
	client.WriteHeader(f.x.Status())
}

// sendNow sends bytes at once. An error means that the client has gone.
func sendNow(client http.ResponseWriter, text []byte) {
	_, _ = client.Write(text)
	_ = http.NewResponseController(client).Flush()
}

// part has the connection end just when the next request comes on it.
func (f fault) part() {
	if optional.Or(f.verdict.Effect.Connection, "") != control.FaultEffectConnectionCloseIdle ||
		f.x.BodyLength() > len(f.x.Body()) { // and so it was sent as it came
		return
	}
	if f.x.Request.ProtoMajor > 1 {
		announceEnd(f.x.Header())
		return
	}
	if err := f.x.Complete(); err != nil {
		f.x.LogInternalError(err)
	}
	f.x.SendBy(f.closeIdle)
}

// announceEnd has the HTTP server announce that the connection takes no other request: in HTTP/2
// this header becomes GOAWAY.
func announceEnd(header http.Header) { header.Set("Connection", "close") }

// closeIdle sends the answer, and closes the connection as soon as another request begins to
// arrive on it. The client cannot have known, as when a server's idle timeout ends at that moment.
func (f fault) closeIdle(client http.ResponseWriter) {
	f.sendHead(client)
	sendNow(client, f.x.Body())
	connection, arrived, err := http.NewResponseController(client).Hijack()
	if err != nil {
		return // there is no connection of its own, as in memory
	}
	ctx, cancel := f.x.UntilClosed(context.Background())
	go func() {
		defer cancel()
		defer context.AfterFunc(ctx, func() { _ = connection.Close() })()
		defer connection.Close()
		_, _ = arrived.ReadByte()
	}()
}

// dropAnswer has the connection reset in place of the answer, whatever that was to be.
func (f fault) dropAnswer() {
	f.x.Discard()
	f.x.SendBy(reset)
}

// reset resets the connection, as far as that is possible. One that does not belong to this
// request alone, as in HTTP/2, is left to the server.
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
