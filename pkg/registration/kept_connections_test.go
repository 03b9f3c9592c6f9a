package registration_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

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
