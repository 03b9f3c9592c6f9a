package registration_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// guarded is a server behind TLS whose certificate may be replaced, and a client that
// trusts the authorities in a file.
type guarded struct {
	t       *testing.T
	url     string
	file    string
	shown   atomic.Pointer[tls.Certificate]
	client  *http.Client
	log     bytes.Buffer
	version string // of HTTP, in the last answer
}

func newGuarded(t *testing.T, a *authority) *guarded {
	g := &guarded{t: t, file: filepath.Join(t.TempDir(), "bundle.pem")}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = discard
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*g.shown.Load()}, NextProtos: []string{"h2"}}, nil
	}}
	g.show(a)
	server.StartTLS()
	t.Cleanup(server.Close)
	g.url = server.URL
	g.trust(a)
	transport, err := registration.TLS{CAFile: g.file}.Transport(&http.Transport{ForceAttemptHTTP2: true},
		slog.New(slog.NewTextHandler(&g.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	g.client = &http.Client{Transport: transport}
	t.Cleanup(g.client.CloseIdleConnections)
	return g
}

// show gives the server a certificate of an authority.
func (g *guarded) show(a *authority) {
	dir := g.t.TempDir()
	a.issue("orchestratord", dir+"/server.pem", dir+"/server.key")
	certificate, err := tls.LoadX509KeyPair(dir+"/server.pem", dir+"/server.key")
	if err != nil {
		g.t.Fatal(err)
	}
	g.shown.Store(&certificate)
}

// trust writes authorities into the file, in place of those that are there.
func (g *guarded) trust(authorities ...*authority) {
	var bundle []byte
	for _, a := range authorities {
		content, err := os.ReadFile(a.file())
		if err != nil {
			g.t.Fatal(err)
		}
		bundle = append(bundle, content...)
	}
	if err := errors.Join(os.WriteFile(g.file+".new", bundle, 0o600), os.Rename(g.file+".new", g.file)); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guarded) ask() error {
	answer, err := g.client.Get(g.url)
	if err != nil {
		return err
	}
	g.version = answer.Proto
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// An authority is replaced as is common advice: first both are in the bundle, then
// there is the new certificate, and in the end the old authority goes.
func TestAuthoritiesAreReadAgain(t *testing.T) {
	before, after := newAuthority(t), newAuthority(t)
	g := newGuarded(t, before)
	must := func(when string) {
		t.Helper()
		if err := g.ask(); err != nil || g.version != "HTTP/2.0" {
			t.Errorf("%s: %v, over %s", when, err, g.version)
		}
	}
	must("with the first authority")
	g.trust(before, after)
	must("with both in the bundle")
	g.show(after)
	g.client.CloseIdleConnections() // as a restart of the server would
	must("with the new certificate")
	g.trust(before)
	if err := g.ask(); err == nil {
		t.Error("an authority that is out of the bundle is trusted, over a connection from before")
	}
	g.trust(after)
	must("with the new authority alone")
	if n := strings.Count(g.log.String(), "has changed"); n != 3 || strings.Contains(g.log.String(), "WARN") {
		t.Errorf("%d changes are logged:\n%s", n, g.log.String())
	}
}

// A node follows its CA file, and logs its changes to its own logger.
func TestANodeFollowsItsAuthorities(t *testing.T) {
	before, after := newAuthority(t), newAuthority(t)
	url, _ := tlsServer(t, after, &tls.Config{})
	file := before.file()
	c := tlsConfig(t, url, registration.TLS{CAFile: file})
	logged, log := io.Pipe()
	t.Cleanup(func() { _ = logged.Close() })
	c.Logger = slog.New(slog.NewTextHandler(log, nil))
	node := newNode(t, c)
	write(t, file, "CERTIFICATE", after.cert.Raw)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	context.AfterFunc(ctx, func() { log.CloseWithError(errors.New("nothing is said of a change")) })
	registered := make(chan error, 1)
	go func() { registered <- node.Register(ctx) }()
	lines := bufio.NewScanner(logged)
	for lines.Scan() && !strings.Contains(lines.Text(), "CA file has changed") {
	}
	go func() { _, _ = io.Copy(io.Discard, logged) }()
	if err := errors.Join(<-registered, lines.Err(), node.Stop(t.Context())); err != nil {
		t.Error(err)
	}
}
