// Package memnet serves HTTP over connections in memory, for tests in a bubble of
// testing/synctest. Time passes there only when nobody has anything to do, so that a busy
// machine makes no call slow.
package memnet

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

// URL is where a server is, for whoever dials it.
const URL = "http://orchestratord.invalid"

// linger is over the half a second for which a server keeps a connection whose request it has not
// read to its end.
const linger = time.Second

// latency is how long a call takes at least. Without it no time would pass between calls.
const latency = time.Millisecond

// Serve starts a server that ends with the test, like the contexts of its requests. It
// returns what connects to it.
func Serve(t testing.TB, handler http.Handler) (dial func(context.Context, string, string) (net.Conn, error)) {
	l := &listener{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{
		BaseContext: func(net.Listener) context.Context { return t.Context() },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(latency)
			handler.ServeHTTP(w, r)
		}),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
		time.Sleep(linger)
	})
	return l.dial
}

// listener takes connections from its own dial.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	close(l.closed)
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }
