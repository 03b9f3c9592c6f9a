//go:build pact

package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync/atomic"
)

// maxRequest bounds a request of Pact's; those of a pact are of some kilobytes.
const maxRequest = 16 << 20

// gateway is a proxy between Pact and the provider. It replaces the token, speaks TLS with
// the provider, blocks requests that the guard refuses, and ends every request in time.
type gateway struct {
	addr      netip.AddrPort
	token     string
	guard     *guard
	line      *line
	keepToken atomic.Bool            // whether requests go out with the pact's own token
	reached   atomic.Bool            // whether a request has come in since this was last cleared
	answer    atomic.Pointer[answer] // the last
	close     func()
}

// answer is what the provider answered.
type answer struct {
	status int
	body   []byte
}

// openGateway opens a gateway on the loopback interface. Its requests end with ctx.
func openGateway(ctx context.Context, p Provider, guard *guard, line *line) (*gateway, error) {
	target, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{token: p.Token, guard: guard, line: line}
	server := &http.Server{
		ReadHeaderTimeout: line.timeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(io.Discard, "", 0), // Pact says what it misses
		Handler:           g.guarded(g.proxy(target)),
	}
	g.addr, g.close = listener.Addr().(*net.TCPAddr).AddrPort(), func() { _ = server.Close() }
	go func() { _ = server.Serve(listener) }()
	return g, nil
}

// proxy returns what hands requests on to the provider.
func (g *gateway) proxy(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Transport: g.line,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			g.replaceToken(r.Out.Header)
		},
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			g.answer.Store(&answer{r.StatusCode, body})
			return err
		},
		// The line remembers what went wrong.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { giveUp(w) },
	}
}

// giveUp answers a request that got no answer from the provider. It avoids a 5xx, because
// Pact would retry.
func giveUp(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) }

// guarded hands on only what the guard lets through.
func (g *gateway) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.reached.Store(true)
		g.answer.Store(nil)
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err == nil {
			err = g.guard.check(r.Method, r.URL.EscapedPath(), body)
		}
		if err != nil {
			_ = g.line.breakFor(fmt.Errorf("a request was not sent: %w", err))
			giveUp(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		// net/http adds no header that is there, even without a value.
		w.Header()["Content-Type"], w.Header()["Date"] = nil, nil
		next.ServeHTTP(w, r)
	})
}

// replaceToken puts the provider's token, or none where it has none, in the place
// of the pact's.
func (g *gateway) replaceToken(header http.Header) {
	switch {
	case g.keepToken.Load() || header.Get("Authorization") == "":
	case g.token == "":
		header.Del("Authorization")
	default:
		header.Set("Authorization", "Bearer "+g.token)
	}
}
