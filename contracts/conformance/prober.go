package conformance

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/llama-orch/node-registration/contracts/internal/target"
)

const (
	// callTimeout is how long one answer and its body may take. A registration may take
	// twice as long, so that a slow one can be measured.
	callTimeout = 5 * time.Second
	// maxAnswer is how many bytes of an answer a node reads. The list has maxList.
	maxAnswer = 64 << 10
	// maxList bounds what is read of a list, in bytes.
	maxList = 64 << 20
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
)

// errLate ends a call that has no whole answer in time. The time follows.
var errLate = errors.New("it took longer than")

// prober sends calls to one orchestratord.
type prober struct {
	base        *url.URL
	token       string
	kept, fresh *http.Transport
	dialer      func(ctx context.Context, network, address string) (net.Conn, error)
	calls       atomic.Int64
	spent       atomic.Int64 // on all calls, in nanoseconds
	endings     endings
}

func newProber(o Options) (*prober, error) {
	base, err := target.Parse(o.URL, o.Token)
	if err != nil {
		return nil, err
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	p := &prober{base: base, token: o.Token, kept: newTransport(o), fresh: newTransport(o)}
	p.fresh.DisableKeepAlives = true
	p.endings.kinds = map[string]*ending{}
	p.dialer = p.kept.DialContext
	p.kept.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return p.endings.watch(p.dialer(ctx, network, address))
	}
	// Below TLS, the alert that announces an end would look like the beginning of an answer.
	p.kept.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return p.endings.watch(p.dialTLS(ctx, network, address))
	}
	return p, nil
}

func newTransport(o Options) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig, t.ForceAttemptHTTP2 = o.TLS, false
	if o.Dial != nil {
		t.Proxy, t.DialContext = nil, o.Dial
	}
	t.DisableCompression = true // nobody asks for it
	t.MaxIdleConnsPerHost, t.MaxResponseHeaderBytes = 32, maxHeader
	return t
}

// lineOfItsOwn returns what carries calls on one connection that no other calls share.
func (p *prober) lineOfItsOwn() *http.Transport {
	line := p.kept.Clone()
	line.MaxConnsPerHost = 1
	return line
}

func (p *prober) close() {
	p.kept.CloseIdleConnections()
	p.fresh.CloseIdleConnections()
}

// send makes a call. It returns when the answer is complete, after the timeout of the
// operation, or when ctx ends.
func (p *prober) send(ctx context.Context, c call) (*answer, error) {
	p.calls.Add(1)
	timeout := c.op.timeout()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w %v", errLate, timeout))
	defer cancel()
	request, err := p.request(ctx, c)
	if err != nil {
		return nil, err
	}
	a := &answer{call: c, began: time.Now()}
	response, conn, err := p.roundTrip(c, request)
	if err == nil {
		err = a.read(response)
	}
	a.ended = time.Now()
	if err == nil {
		p.endings.note(a, conn)
	}
	p.spent.Add(int64(a.ended.Sub(a.began)))
	if err != nil {
		if ctx.Err() != nil {
			return a, context.Cause(ctx)
		}
		return a, p.redacted(err)
	}
	return a, nil
}

// roundTrip returns an answer, and the connection over which it came if that is watched.
func (p *prober) roundTrip(c call, r *http.Request) (response *http.Response, kept net.Conn, err error) {
	proxy := p.hasProxy() // which speaks to orchestratord as it likes
	switch {
	case c.line == fresh, c.line == chunked: // what is left of chunks that nobody has read spoils a connection
		response, err = p.fresh.RoundTrip(r)
	case c.line == oldHTTP && !proxy:
		response, err = p.roundTripPlain(r, r.URL.RequestURI(), "HTTP/1.0")
	case c.line == duplex && !proxy:
		response, err = p.roundTripPlain(r, r.URL.RequestURI(), "HTTP/1.1")
	case c.line == absolute && !proxy:
		response, err = p.roundTripPlain(r, r.URL.String(), "HTTP/1.1")
	default:
		response, kept, err = p.roundTripKept(cmp.Or(c.own, p.kept), r)
	}
	if proxy {
		kept = nil
	}
	return response, kept, err
}

// hasProxy reports whether calls go to a proxy of the environment, as those of nodes do.
func (p *prober) hasProxy() bool {
	if p.kept.Proxy == nil {
		return false
	}
	proxy, err := p.kept.Proxy(&http.Request{URL: p.base})
	return proxy != nil || err != nil
}

// longIdle is the idle time after which a server may close a connection at the very moment
// that it is used again.
const longIdle = 500 * time.Millisecond

// roundTripKept sends a request on a kept connection. It repeats the request, as nodes do,
// if the server may have closed the connection unnoticed.
func (p *prober) roundTripKept(line *http.Transport, r *http.Request) (*http.Response, net.Conn, error) {
	var got httptrace.GotConnInfo
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { got = info }}
	response, err := line.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err == nil || !got.WasIdle || got.IdleTime < longIdle || r.Context().Err() != nil {
		return response, got.Conn, err
	}
	again := r.Clone(r.Context())
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return nil, nil, err
		}
	}
	response, err = p.fresh.RoundTrip(again)
	return response, nil, err
}

// request returns the HTTP request of a call.
func (p *prober) request(ctx context.Context, c call) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		body = bytes.NewReader(c.body)
		if c.line == chunked {
			body = struct{ io.Reader }{body} // which hides its length
		}
	}
	r, err := http.NewRequestWithContext(ctx, c.verb(), p.base.String()+c.target()+c.query, body)
	if err != nil {
		return nil, err
	}
	if c.op.media != "" && !c.noType {
		r.Header.Set("Content-Type", c.op.media)
	}
	if p.token != "" && !c.noToken {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	maps.Copy(r.Header, c.header)
	if c.line == lower {
		r.Header = lowered(r.Header)
	}
	return r, nil
}

// lowered returns a header as nodes in Rust send it.
func lowered(header http.Header) http.Header {
	names := http.Header{}
	for name, values := range header {
		names[strings.ToLower(name)] = values
	}
	return names
}

// isRefusal reports whether an error is a refusal whose body was lost with the connection. Who refuses a
// request before its end, and closes, may lose that; its status is enough for a node.
func isRefusal(err error) bool {
	cut, ok := errors.AsType[cutOff](err)
	return ok && cut.status/100 == 4 && errors.Is(err, syscall.ECONNRESET)
}

// roundTripPlain sends a request for a target, by a version of HTTP, on a connection of its own. It reads
// whatever answer there is, even if the server did not take all of the request. What follows the header of an
// answer to HEAD counts as its body.
func (p *prober) roundTripPlain(r *http.Request, target, version string) (*http.Response, error) {
	conn, err := p.dial(r.Context())
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(r.Context(), func() { conn.Close() })
	text := p.text(r, target, version)
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = conn.Write(text) // without an answer, the error of reading says enough
	}()
	end := func() { stop(); conn.Close(); <-written }
	reader := bufio.NewReader(io.LimitReader(conn, maxList))
	response, err := readResponse(reader, r)
	for err == nil && response.StatusCode/100 == 1 && response.StatusCode != http.StatusSwitchingProtocols {
		response, err = readResponse(reader, r) // what came was not yet the answer
	}
	if err != nil {
		end()
		return nil, err
	}
	if r.Method == http.MethodHead {
		response.Body = io.NopCloser(reader)
	}
	response.Body = ownConnection{response.Body, end}
	return response, nil
}

// text is a request as HTTP/1 has it.
func (p *prober) text(r *http.Request, target, version string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s %s\r\nHost: %s\r\n", r.Method, target, version, p.base.Host)
	if version != "HTTP/1.0" {
		text.WriteString("Connection: close\r\n")
	}
	if r.ContentLength > 0 {
		text.Grow(int(r.ContentLength))
		fmt.Fprintf(&text, "Content-Length: %d\r\n", r.ContentLength)
	}
	_ = r.Header.Write(&text)
	text.WriteString("\r\n")
	if r.Body != nil {
		_, _ = io.Copy(&text, r.Body)
	}
	return text.Bytes()
}

// dial connects to orchestratord.
func (p *prober) dial(ctx context.Context) (net.Conn, error) {
	port := cmp.Or(p.base.Port(), map[string]string{"http": "80", "https": "443"}[p.base.Scheme])
	address := net.JoinHostPort(p.base.Hostname(), port)
	if p.base.Scheme == "https" {
		return p.dialTLS(ctx, "tcp", address)
	}
	return p.dialer(ctx, "tcp", address)
}

// dialTLS connects to who speaks TLS: orchestratord, or a proxy.
func (p *prober) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	conn, err := p.dialer(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if trust := p.kept.TLSClientConfig; trust != nil {
		config = trust.Clone()
	}
	config.ServerName = cmp.Or(config.ServerName, host)
	ctx, cancel := context.WithTimeout(ctx, p.kept.TLSHandshakeTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// ownConnection is a body that closes its connection when it is closed.
type ownConnection struct {
	io.ReadCloser
	end func()
}

func (b ownConnection) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
