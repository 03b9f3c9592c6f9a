package registration_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// What had no connection was not sent, so there is nothing to drain and to undo.
func TestANodeThatHadNoConnectionLeavesWithoutAWord(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = discard
	untrusted.StartTLS()
	defer untrusted.Close()
	down := "http://" + unused(t)

	for name, test := range map[string]struct{ url, proxy string }{
		"nobody listens":                 {down, ""},
		"the certificate is not trusted": {untrusted.URL, ""},
		"the proxy is down":              {"http://orchestratord.invalid", down},
		"the proxy is down, with TLS":    {"https://orchestratord.invalid", down},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			if proxy, err := url.Parse(test.proxy); err == nil && test.proxy != "" {
				transport.Proxy = http.ProxyURL(proxy)
			}
			failed := make(chan struct{}, 100)
			c := config(t, nil)
			c.OrchestratordURL = test.url
			c.HTTPClient = &http.Client{Transport: transport}
			c.ShutdownTimeout = time.Second
			c.OnEvent = func(registration.Event) { failed <- struct{}{} }
			c.Drain = func(context.Context) { t.Error("it drains") }
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-failed; cancel() }()
			if err := newNode(t, c).Run(ctx, ready); err != nil {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// staged is a transport that comes as far as its stage, and hangs there; deaf, it does not hear that
// its request has ended.
type staged struct {
	stage func(*httptrace.ClientTrace)
	deaf  bool
}

func (s staged) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); s.stage != nil {
		s.stage(trace)
	}
	if s.deaf {
		time.Sleep(time.Hour)
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Whoever gives up first, the sender or the transport, a person reads the same.
func TestAnErrorSaysHowFarARequestCame(t *testing.T) {
	source := func(answer func(context.Context) error) func(*registration.Config, func()) {
		return func(c *registration.Config, _ func()) {
			c.APIToken = func(ctx context.Context) (string, error) { return "", answer(ctx) }
		}
	}
	transport := func(s staged) func(*registration.Config, func()) {
		return func(c *registration.Config, _ func()) { c.HTTPClient = &http.Client{Transport: s} }
	}
	for name, test := range map[string]struct {
		change func(*registration.Config, func())
		nth    int // of the errors
		kind   error
		text   string
	}{
		"the token source fails": {
			source(func(context.Context) error { return fs.ErrNotExist }), 0, fs.ErrNotExist,
			"no token: file does not exist",
		},
		"the token source hangs": {
			source(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }), 0, context.DeadlineExceeded,
			"the token source did not return within 5s",
		},
		"the token source is deaf": {
			source(func(context.Context) error { time.Sleep(time.Hour); return nil }), 0, context.DeadlineExceeded,
			"the token source did not return within 5s",
		},
		"no connection": {
			transport(staged{stage: func(trace *httptrace.ClientTrace) { trace.GetConn("orchestratord:8080") }}), 0,
			context.DeadlineExceeded, "no connection within 5s",
		},
		"no answer": {
			transport(staged{stage: func(trace *httptrace.ClientTrace) { trace.GotConn(httptrace.GotConnInfo{}) }}), 0,
			context.DeadlineExceeded, "no answer within 5s",
		},
		"the caller has given up": {
			func(c *registration.Config, giveUp func()) {
				transport(staged{stage: func(trace *httptrace.ClientTrace) {
					trace.GotConn(httptrace.GotConnInfo{})
					giveUp()
				}})(c, giveUp)
			}, 0, context.Canceled, "no answer: context canceled",
		},
		"the transport is deaf": {
			transport(staged{deaf: true}), 1, context.DeadlineExceeded,
			"an earlier request is still under way, although its time is over",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // for either to be first
				synctest.Test(t, func(t *testing.T) {
					var seen recorder
					c := config(t, &wire{})
					c.OnEvent = seen.add
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(12*time.Second, cancel)
					test.change(&c, cancel)
					node := newNode(t, c)
					node.Register(ctx)
					if node.Status().Failures == 0 {
						t.Error("a request without an answer is no failure")
					}
					time.Sleep(2 * time.Hour)
					node.Stop(t.Context())
					var failed *registration.Error
					if err := seen.events[test.nth].Err; !errors.As(err, &failed) || failed.StatusCode != 0 ||
						failed.Detail != test.text || !errors.Is(err, test.kind) ||
						!strings.HasPrefix(err.Error(), "register: orchestratord unavailable: "+test.text) {
						t.Errorf("error is %v, want %v with %q", err, test.kind, test.text)
					}
				})
			}
		})
	}
}

// A source that outlasts its request has nothing sent that nobody waits for any more.
func TestNothingIsSentWithATokenThatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		calls := 0
		c.APIToken = func(context.Context) (string, error) {
			if calls++; calls == 1 {
				time.Sleep(6 * time.Second) // of the 5 that a request has
			}
			return token, nil
		}
		node := registered(t, c)
		if w.ops() != "register" {
			t.Errorf("sent %s", w.ops())
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// redialling is a transport that asks for connections until its request ends, a thousand at the most, and
// counts them.
type redialling struct {
	got   func(*httptrace.ClientTrace)
	asked int
}

func (d *redialling) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	for d.asked = 0; r.Context().Err() == nil && d.asked < 1000; d.asked++ {
		trace.GetConn("orchestratord:8080")
		d.got(trace)
	}
	return nil, r.Context().Err()
}

// A request gets two new connections, and dials a third. Of kept ones there may be many.
func TestARequestTakesSoManyConnections(t *testing.T) {
	for name, test := range map[string]struct {
		got  func(*httptrace.ClientTrace)
		most int
	}{
		"with TLS":    {func(trace *httptrace.ClientTrace) { trace.TLSHandshakeStart() }, 3},
		"without TLS": {func(trace *httptrace.ClientTrace) { trace.GotConn(httptrace.GotConnInfo{}) }, 3},
		"kept":        {func(trace *httptrace.ClientTrace) { trace.GotConn(httptrace.GotConnInfo{Reused: true}) }, 257},
	} {
		synctest.Test(t, func(t *testing.T) {
			transport := &redialling{got: test.got}
			c := config(t, nil)
			c.HTTPClient = &http.Client{Transport: transport}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // too short for a second attempt
			defer cancel()
			node := newNode(t, c)
			err := node.Register(ctx)
			synctest.Wait() // Register does not wait for the transport
			if transport.asked != test.most || !strings.Contains(err.Error(), "each new connection was closed") {
				t.Errorf("%s: it asked for %d connections, want %d: %v", name, transport.asked, test.most, err)
			}
			node.Stop(t.Context())
		})
	}
}

// What was sent on a connection may have arrived.
func TestWhatHadAConnectionIsDeregistered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deregistered := false
		c := config(t, nil)
		c.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete {
				deregistered = true
				return (&wire{}).RoundTrip(r)
			}
			trace := httptrace.ContextClientTrace(r.Context())
			trace.GetConn("orchestratord:8080")
			trace.GotConn(httptrace.GotConnInfo{})
			return nil, errors.New("connection reset by peer")
		})}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		node := newNode(t, c)
		_ = node.Register(ctx)
		if err := node.Deregister(t.Context()); err != nil || !deregistered {
			t.Errorf("Deregister returned %v, and asked for it: %t", err, deregistered)
		}
	})
}

// What the first token met says nothing of the request with the second.
func TestARequestWithItsSecondTokenThatIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{answer: func(n int, _ request) answer {
			return []answer{{status: http.StatusUnauthorized}, {delay: time.Hour}, {}}[n]
		}})
		reads := 0
		c.APIToken = func(context.Context) (string, error) { reads++; return token + strings.Repeat("x", reads), nil }
		if err := newNode(t, c).Register(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// unused returns an address that nobody listens on.
func unused(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
