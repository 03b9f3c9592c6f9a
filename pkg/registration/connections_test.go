package registration_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
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

// Where requests meet on their first way to orchestratord, each dials, and net/http keeps all that
// they dial. When orchestratord has started again it asks for them one by one.
func TestKeptConnectionsThatHaveEndedAreNoFailure(t *testing.T) {
	const meet = 5
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op, _ := opOf(r)
		w.WriteHeader(well(op).status)
		io.WriteString(w, well(op).body)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	var dials sync.WaitGroup
	dials.Add(meet)
	closed := make(chan struct{}, meet)
	var dialled atomic.Int32
	transport := server.Client().Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if dialled.Add(1) > meet {
			return conn, err
		}
		dials.Done()
		dials.Wait()
		return &closing{Conn: conn, closed: sync.OnceFunc(func() { closed <- struct{}{} })}, err
	}
	var met sync.WaitGroup
	for range meet {
		met.Go(func() {
			response, err := server.Client().Get(server.URL + "/v2/nodes/register")
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		})
	}
	met.Wait()
	for range meet - 1 { // net/http needs one of them for HTTP/2, and closes the others
		<-closed
	}
	server.CloseClientConnections()
	<-closed

	c := config(t, nil)
	c.OrchestratordURL, c.HTTPClient = server.URL, server.Client()
	c.OnEvent = func(e registration.Event) {
		if e.Type == registration.EventFailed {
			t.Errorf("failed: %v", e.Err)
		}
	}
	node := newNode(t, c)
	if err := node.Register(t.Context()); err != nil {
		t.Error(err)
	}
	if err := node.Deregister(t.Context()); err != nil {
		t.Error(err)
	}
}

// closing calls closed when it is closed.
type closing struct {
	net.Conn
	closed func()
}

func (c *closing) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

// A 101 hands the connection over: its body ends neither with the request nor by itself.
func TestSwitchingProtocolsHoldsNobody(t *testing.T) {
	for _, op := range []string{"register", "heartbeat", "deregister"} {
		t.Run(op, func(t *testing.T) {
			first := true
			server := hijacking(t, func(r *http.Request) string {
				if got, _ := opOf(r); got == op && first {
					first = false
					return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
				}
				return ""
			})
			online := make(chan struct{}, 100)
			c := config(t, nil)
			c.OrchestratordURL, c.HTTPClient, c.Jitter = server, nil, atOnce
			c.RequestTimeout = time.Minute // longer than the test lasts
			c.NodeTimeout = 10 * time.Minute
			c.ShutdownTimeout = time.Minute
			c.OnEvent = func(e registration.Event) {
				if e.Type == registration.EventOnline {
					online <- struct{}{}
				}
			}
			node := newNode(t, c)
			if err := node.StartHeartbeat(t.Context(), ready); err != nil {
				t.Fatal(err)
			}
			<-online
			if err := node.Deregister(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// hijacking returns the URL of an orchestratord that answers with what raw returns, unless
// that is empty, and leaves the connection open then.
func hijacking(t *testing.T, raw func(*http.Request) string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := raw(r); text != "" {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { conn.Close() })
			io.WriteString(conn, text)
			return
		}
		op, _ := opOf(r)
		a := well(op)
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A server or a balancer closes kept connections when its own patience is over, often just
// as the next heartbeat is on its way.
func TestAConnectionThatIsClosedAsItIsUsedIsNoFailure(t *testing.T) {
	url := oneRequestEach(t)
	enough, left := make(chan struct{}), make(chan struct{})
	good := 0
	c := config(t, nil)
	c.OrchestratordURL, c.HTTPClient = url, nil
	c.OnEvent = func(e registration.Event) {
		switch e.Type {
		case registration.EventHeartbeat, registration.EventOnline:
			if good++; good == 3 {
				close(enough)
			}
		case registration.EventFailed:
			t.Errorf("failed: %v", e.Err)
		case registration.EventDeregistered:
			close(left)
		}
	}
	node := newNode(t, c)
	if err := node.StartHeartbeat(t.Context(), ready); err != nil {
		t.Fatal(err)
	}
	for stop := false; !stop; {
		node.Notify()
		select {
		case <-enough:
			stop = true
		case <-time.After(10 * time.Millisecond): // how often there is news; nothing is measured
		}
	}
	if err := node.Deregister(t.Context()); err != nil {
		t.Error(err)
	}
	<-left
}

// oneRequestEach returns the URL of an orchestratord that answers the first request on each
// connection, and closes the connection when it has read a second one.
func oneRequestEach(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				if r, err := http.ReadRequest(reader); err == nil {
					op, _ := opOf(r)
					a := well(op)
					io.Copy(io.Discard, r.Body)
					fmt.Fprintf(conn, "HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n%s", a.status, len(a.body), a.body)
					_, _ = http.ReadRequest(reader)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// The name of orchestratord may point elsewhere after some minutes.
func TestAnOldConnectionIsReplaced(t *testing.T) {
	var mu sync.Mutex
	var from []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		from = append(from, r.RemoteAddr)
		w.WriteHeader(well("register").status)
		w.Write([]byte(well("register").body))
	}))
	defer server.Close()
	c := config(t, nil)
	c.HTTPClient, c.OrchestratordURL = nil, server.URL
	node := newNode(t, c)
	for _, older := range []time.Duration{0, 4 * time.Minute, 2 * time.Minute} {
		registration.AgeConnection(node, older)
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if from[0] != from[1] || from[1] == from[2] {
		t.Errorf("requests came from %v, want the third alone from another connection", from)
	}
	if err := node.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// What failed is tried again on a new connection: the name may point elsewhere by now.
func TestAFailedAttemptDialsAnew(t *testing.T) {
	var mu sync.Mutex
	var from []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if from = append(from, r.RemoteAddr); len(from) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		op, _ := opOf(r)
		w.WriteHeader(well(op).status)
		w.Write([]byte(well(op).body))
	}))
	defer server.Close()
	c := config(t, nil)
	c.HTTPClient, c.OrchestratordURL = nil, server.URL
	node := newNode(t, c)
	if err := node.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := node.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(from) != 3 || len(slices.Compact(slices.Clone(from))) != 2 || from[0] == from[1] {
		t.Errorf("requests came from %v, want the first from a connection of its own", from)
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

// Over HTTP/2 net/http keeps a connection on which no answer came. The client of a caller has no
// pings here, so only the node can give the connection up.
func TestADeadConnectionOfACallersClientIsReplaced(t *testing.T) {
	for name, secure := range map[string]bool{"with TLS": true, "in clear text": false} {
		t.Run(name, func(t *testing.T) {
			server, client := dying(t, secure)
			ctx, cancel := context.WithCancel(t.Context())
			attempts := 0
			c := config(t, nil)
			c.OrchestratordURL, c.HTTPClient = server, client
			c.RequestTimeout, c.MaxBackoff = time.Second, time.Millisecond
			c.APIToken = func(context.Context) (string, error) { // asked for once in each attempt
				if attempts++; attempts > 20 {
					cancel()
				}
				return "token", nil
			}
			node := newNode(t, c)
			for range 2 {
				if err := node.Register(ctx); err != nil {
					t.Errorf("after %d attempts: %v", attempts, err)
				}
			}
			if err := node.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// dying returns the URL of an orchestratord that answers one request on its first connection, and
// all on later ones, and a client that speaks HTTP/2 with it.
func dying(t *testing.T, secure bool) (url string, client *http.Client) {
	t.Helper()
	var mu sync.Mutex
	first := ""
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		dead := first == r.RemoteAddr
		if first == "" {
			first = r.RemoteAddr
		}
		mu.Unlock()
		if dead {
			<-r.Context().Done()
			return
		}
		op, _ := opOf(r)
		w.WriteHeader(well(op).status)
		io.WriteString(w, well(op).body)
	}))
	t.Cleanup(server.Close)
	if secure {
		server.EnableHTTP2 = true
		server.StartTLS()
		return server.URL, server.Client()
	}
	inClear := new(http.Protocols)
	inClear.SetUnencryptedHTTP2(true)
	server.Config.Protocols = inClear
	server.Start()
	transport := &http.Transport{Protocols: inClear}
	t.Cleanup(transport.CloseIdleConnections)
	return server.URL, &http.Client{Transport: transport}
}

// What a program builds its own client on heeds a proxy, and gives up what does not connect.
func TestTheTransportForClients(t *testing.T) {
	transport := registration.NewTransport(0)
	if transport.Proxy == nil || transport.DialContext == nil || !transport.ForceAttemptHTTP2 ||
		transport.TLSHandshakeTimeout != 10*time.Second || transport.MaxIdleConnsPerHost != 256 ||
		transport.IdleConnTimeout < 5*time.Minute || transport.IdleConnTimeout > 6*time.Minute {
		t.Errorf("the transport is %+v", transport)
	}
}

// Pings find a dead HTTP/2 connection before orchestratord misses the node.
func TestPingsFollowTheNodeTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{0, 8 * time.Second, 10 * time.Minute} {
		pings := registration.NewTransport(timeout).HTTP2
		limit := timeout
		if limit == 0 {
			limit = registration.DefaultNodeTimeout
		}
		if pings.SendPingTimeout <= 0 || pings.PingTimeout <= 0 || pings.SendPingTimeout+pings.PingTimeout > limit/2 {
			t.Errorf("with a node timeout of %v it pings after %v and waits for %v",
				limit, pings.SendPingTimeout, pings.PingTimeout)
		}
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

// An answer may have 64 KiB of headers, which proxies add to.
func TestLongHeaders(t *testing.T) {
	for length, want := range map[int]struct {
		status int
		detail string
	}{
		60 << 10:  {http.StatusTemporaryRedirect, "redirects"},
		100 << 10: {0, "headers exceeded"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1/"+strings.Repeat("x", length))
			w.WriteHeader(http.StatusTemporaryRedirect)
		}))
		defer server.Close()
		c := config(t, nil)
		c.HTTPClient, c.OrchestratordURL = nil, server.URL
		ctx, cancel := context.WithCancel(t.Context())
		var first *registration.Error
		c.OnEvent = func(e registration.Event) {
			if first == nil && errors.As(e.Err, &first) {
				cancel()
			}
		}
		node := newNode(t, c)
		node.Register(ctx)
		node.Stop(t.Context())
		if first == nil || first.StatusCode != want.status || !strings.Contains(first.Detail, want.detail) {
			t.Errorf("%d bytes of headers: error is %v", length, first)
		}
	}
}

// Instrumentation is often installed by wrapping the default transport.
func TestTheDefaultTransportMayBeWrapped(t *testing.T) {
	plain := http.DefaultTransport
	defer func() { http.DefaultTransport = plain }()
	http.DefaultTransport = &wire{}

	c := config(t, nil)
	c.HTTPClient = nil
	newNode(t, c)
}
