package registration_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// draining serves TLS, or without an authority clear text, as a proxy does that shuts down: each
// HTTP/2 connection gets GOAWAY for all streams, and is closed. It returns its URL and the number of
// connections so far.
func draining(t *testing.T, a *authority) (url string, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	url, secure := "http://", func(conn net.Conn) net.Conn { return conn }
	if a != nil {
		dir := t.TempDir()
		a.issue("orchestratord", dir+"/server.pem", dir+"/server.key")
		certificate, err := tls.LoadX509KeyPair(dir+"/server.pem", dir+"/server.key")
		if err != nil {
			t.Fatal(err)
		}
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}}
		url, secure = "https://", func(conn net.Conn) net.Conn { return tls.Server(conn, config) }
	}
	connections = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			context.AfterFunc(t.Context(), func() { conn.Close() })
			go goAway(secure(conn))
		}
	}()
	return url + listener.Addr().String(), connections
}

func goAway(conn net.Conn) {
	defer conn.Close()
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	const settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	const goAway = "\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	io.WriteString(conn, settings+goAway)
	io.Copy(io.Discard, conn) // a request on its way is not cut off, which net/http would not repeat
}

// net/http dials again without a pause while a server answers so: 3,517 connections in 4 s.
func TestAnAttemptTakesThreeConnectionsAtTheMost(t *testing.T) {
	ours := newAuthority(t)
	const inClear = "a caller's transport without TLS"
	for name, client := range map[string]func(*registration.Config){
		"the node's own transport": func(c *registration.Config) { c.TLS = registration.TLS{RootCAs: ours.pool()} },
		"a caller's transport": func(c *registration.Config) {
			transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: ours.pool()}}
			t.Cleanup(transport.CloseIdleConnections)
			c.HTTPClient = &http.Client{Transport: transport}
		},
		inClear: func(c *registration.Config) {
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetUnencryptedHTTP2(true)
			t.Cleanup(transport.CloseIdleConnections)
			c.HTTPClient = &http.Client{Transport: transport}
		},
	} {
		t.Run(name, func(t *testing.T) {
			trusted := ours
			if name == inClear {
				trusted = nil
			}
			url, connections := draining(t, trusted)
			var attempts atomic.Int32
			enough := make(chan struct{})
			c := config(t, nil)
			c.OrchestratordURL, c.HTTPClient, c.Jitter = url, nil, atOnce
			c.OnEvent = func(e registration.Event) {
				if e.Type == registration.EventFailed && strings.Contains(e.Err.Error(), "panicked") {
					t.Error(e.Err)
				}
			}
			c.APIToken = func(context.Context) (string, error) { // asked for once in each attempt
				if attempts.Add(1) == 4 {
					close(enough)
				}
				return "token", nil
			}
			client(&c)
			node := newNode(t, c)
			done := make(chan error)
			go func() { done <- node.Register(t.Context()) }()
			select {
			case <-enough:
			case err := <-done:
				t.Fatalf("Register gave up: %v", err)
			}
			if err := node.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-done; !errors.Is(err, registration.ErrStopped) {
				t.Errorf("Register returned %v", err)
			}
			if n := connections.Load(); n > 3*attempts.Load() {
				t.Errorf("%d attempts took %d connections, want 3 each at the most", attempts.Load(), n)
			}
		})
	}
}

// pooled is the transport of a client that is shared. It counts how often its idle connections are closed.
type pooled struct {
	*wire
	over   net.Conn // the connection of its requests
	closed int
}

func (p *pooled) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{Conn: p.over, Reused: true})
	return p.wire.RoundTrip(r)
}

func (p *pooled) CloseIdleConnections() { p.closed++ }

// secured is a connection whose protocol TLS has negotiated.
type secured struct {
	net.Conn
	protocol string
}

func (s secured) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: s.protocol}
}

// A client that is shared keeps its connections however old they are, but for an HTTP/2 one without an
// answer: it may be dead.
func TestTheConnectionsOfASharedClientAreKept(t *testing.T) {
	for name, test := range map[string]struct {
		over   net.Conn
		first  answer
		closed int
	}{
		"HTTP/2, a good answer":      {secured{protocol: "h2"}, answer{}, 0},
		"HTTP/2, a refusal":          {secured{protocol: "h2"}, answer{status: http.StatusServiceUnavailable}, 0},
		"HTTP/2, no answer":          {secured{protocol: "h2"}, answer{delay: time.Hour}, 1},
		"HTTP/1 with TLS, no answer": {secured{protocol: "http/1.1"}, answer{delay: time.Hour}, 0},
		"HTTP/1, no answer":          {nil, answer{delay: time.Hour}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport := &pooled{over: test.over, wire: &wire{answer: func(n int, _ request) answer {
					if n == 0 {
						return test.first
					}
					return answer{}
				}}}
				c := config(t, nil)
				c.HTTPClient = &http.Client{Transport: transport}
				node := registered(t, c)
				registration.AgeConnection(node, time.Hour)
				if err := errors.Join(node.Register(t.Context()), node.Stop(t.Context())); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				if transport.closed != test.closed {
					t.Errorf("idle connections were closed %d times, want %d", transport.closed, test.closed)
				}
			})
		})
	}
}

// A node keeps to one connection whatever the answers look like, and closes it when it leaves.
func TestOneConnection(t *testing.T) {
	good := func(w http.ResponseWriter) { w.Write([]byte(well("register").body)) }
	for name, test := range map[string]struct {
		answer   func(http.ResponseWriter)
		farewell int // status
	}{
		"a good answer":              {good, http.StatusNoContent},
		"a farewell that is refused": {good, http.StatusMethodNotAllowed},
		"a long error": {func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			w.Write([]byte(strings.Repeat("a long story ", 1000)))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var opened atomic.Int32
			closed := make(chan struct{}, 10)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					w.WriteHeader(test.farewell)
					return
				}
				test.answer(w)
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					opened.Add(1)
				case http.StateClosed:
					closed <- struct{}{}
				}
			}
			server.Start()
			defer server.Close()

			c := config(t, nil)
			c.HTTPClient = nil
			c.OrchestratordURL = server.URL
			node := newNode(t, c)
			node.Register(t.Context())
			node.Register(t.Context())
			refused := test.farewell == http.StatusMethodNotAllowed
			if err := node.Deregister(t.Context()); (err != nil) != refused {
				t.Error(err)
			}
			if opened.Load() != 1 {
				t.Errorf("%d connections were opened, want 1", opened.Load())
			}
			select {
			case <-closed:
			case <-time.After(20 * time.Second):
				t.Error("the connection is still open")
			}
		})
	}
}

// An HTTP/2 connection whose request was cut off is not idle at once.
func TestANodeThatEndsInARequestKeepsNoConnection(t *testing.T) {
	arrived, closed := make(chan struct{}, 1), make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.StartTLS()
	defer server.Close()
	c := config(t, nil)
	c.HTTPClient, c.OrchestratordURL, c.ShutdownTimeout = nil, server.URL, 100*time.Millisecond
	c.TLS.RootCAs = x509.NewCertPool()
	c.TLS.RootCAs.AddCert(server.Certificate())
	node := newNode(t, c)
	go node.Register(t.Context())
	<-arrived
	// Its time is short: on a busy machine it may be over.
	if err := node.Stop(t.Context()); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Error("the connection is still open")
	}
}
