package registration_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

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
