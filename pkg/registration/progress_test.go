package registration_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
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

// unused returns an address that nobody listens on.
func unused(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
