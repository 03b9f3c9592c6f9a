//go:build pact

package provider

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync/atomic"
)

// gateway stands between Pact and the provider: it replaces the token, speaks TLS
// by the provider's rules, and sees to it that every request ends.
type gateway struct {
	addr      netip.AddrPort
	token     string
	keepToken atomic.Bool // whether requests go out with the pact's own token
	reached   atomic.Bool // whether a request has come in since this was last cleared
	close     func()
}

// openGateway opens a gateway on the loopback interface. Its requests end with ctx.
func openGateway(ctx context.Context, p Provider, line *line) (*gateway, error) {
	target, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{token: p.Token}
	server := &http.Server{
		ReadHeaderTimeout: patience,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		Handler: &httputil.ReverseProxy{
			Transport: line,
			Rewrite: func(r *httputil.ProxyRequest) {
				g.reached.Store(true)
				r.SetURL(target)
				g.replaceToken(r.Out.Header)
			},
			// The line remembers what went wrong. To a 5xx Pact would come back.
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
				w.WriteHeader(http.StatusTeapot)
			},
		},
	}
	g.addr, g.close = listener.Addr().(*net.TCPAddr).AddrPort(), func() { _ = server.Close() }
	go func() { _ = server.Serve(listener) }()
	return g, nil
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
