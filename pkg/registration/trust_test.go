package registration_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// A file has changed if it is another one, another length or from another time, also behind a
// symbolic link.
func TestAChangeOfAuthoritiesIsSeen(t *testing.T) {
	const length = 4 << 10
	stamp := time.Now().Add(-time.Hour)
	for name, change := range map[string]func(file string, content []byte) error{
		"another file": func(file string, content []byte) error {
			written := os.WriteFile(file+".new", content[:length], 0o600)
			return errors.Join(written, os.Chtimes(file+".new", stamp, stamp), os.Rename(file+".new", file))
		},
		"another length": func(file string, content []byte) error {
			return errors.Join(os.WriteFile(file, content, 0o600), os.Chtimes(file, stamp, stamp))
		},
		"another time": func(file string, content []byte) error {
			return errors.Join(os.WriteFile(file, content[:length], 0o600), os.Chtimes(file, time.Time{}, stamp.Add(1)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := newAuthority(t), newAuthority(t)
			g := newGuarded(t, before)
			linked := g.file + ".linked"
			padded := func(a *authority) []byte {
				content, err := os.ReadFile(a.file())
				if err != nil {
					t.Fatal(err)
				}
				return append(content, bytes.Repeat([]byte("\n"), length+1-len(content))...)
			}
			err := errors.Join(os.WriteFile(linked, padded(before)[:length], 0o600), os.Chtimes(linked, stamp, stamp),
				os.Remove(g.file), os.Symlink(linked, g.file), g.ask(), change(linked, padded(after)))
			if err != nil {
				t.Fatal(err)
			}
			g.show(after)
			g.client.CloseIdleConnections()
			if err := g.ask(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Connections from before a change are closed: those without a request at the change, the others by
// whoever closes idle ones.
func TestAChangeOfAuthoritiesLeavesNoConnection(t *testing.T) {
	for name, inFlight := range map[string]bool{"without a request": false, "with a request": true} {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			arrived, release := make(chan bool, 2), make(chan bool)
			url, closed := watched(t, a, func(_ http.ResponseWriter, r *http.Request) {
				if arrived <- true; r.URL.Path == "/waits" {
					<-release
				}
			})
			file := a.file()
			transport, err := registration.TLS{CAFile: file}.Transport(&http.Transport{ForceAttemptHTTP2: true},
				slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: transport}
			get := func(path string) {
				if answer, err := client.Get(url + path); err != nil {
					t.Error(err)
				} else {
					answer.Body.Close()
				}
			}
			first := make(chan bool)
			go func() { defer close(first); get(map[bool]string{true: "/waits"}[inFlight]) }()
			if <-arrived; !inFlight {
				<-first
			}
			if err := os.Chtimes(file, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			get("")
			close(release)
			<-first
			expectClosed(t, closed, client, inFlight)
			client.CloseIdleConnections()
		})
	}
}

// watched returns the URL of a server behind TLS, and a channel that receives when it has closed a
// connection.
func watched(t *testing.T, a *authority, handle http.HandlerFunc) (url string, closed chan bool) {
	server := httptest.NewUnstartedServer(handle)
	closed = make(chan bool, 2)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- true
		}
	}
	dir := t.TempDir()
	a.issue("orchestratord", dir+"/server.pem", dir+"/server.key")
	pair, err := tls.LoadX509KeyPair(dir+"/server.pem", dir+"/server.key")
	if err != nil {
		t.Fatal(err)
	}
	server.TLS, server.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{pair}}, true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, closed
}

// expectClosed waits until a connection is closed, or both are if the client is to close them: those over
// HTTP/2 are idle only a moment after their answer.
func expectClosed(t *testing.T, closed <-chan bool, client *http.Client, both bool) {
	left := 1
	if both {
		left = 2
	}
	for deadline := time.After(20 * time.Second); left > 0; {
		if both {
			client.CloseIdleConnections()
		}
		select {
		case <-closed:
			left--
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Errorf("%d connections are still open", left)
			return
		}
	}
}

// One request at a time looks at the file, and none fails for it, nor does the race detector.
func TestRequestsThatMeetAtAChangeOfAuthorities(t *testing.T) {
	file := newAuthority(t).file()
	transport, err := registration.TLS{CAFile: file}.Transport(&http.Transport{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Repeat(content, 1<<20/len(content)) // takes some time to read
	if err := os.WriteFile(file, long, 0o600); err != nil {
		t.Fatal(err)
	}
	nobody := "https://" + unused(t)
	var met sync.WaitGroup
	for range 20 {
		met.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, nobody, nil)
			var dialled *net.OpError
			if _, err := transport.RoundTrip(r); !errors.As(err, &dialled) || dialled.Op != "dial" {
				t.Errorf("a request to nobody ended with %v", err)
			}
		})
	}
	met.Wait()
}

// Without a log of their own, authorities have that of the program.
func TestAuthoritiesThatDoNotLoadAreLogged(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	file := newAuthority(t).file()
	transport, err := registration.TLS{CAFile: file}.Transport(&http.Transport{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	if _, err := client.Get("https://" + unused(t)); err == nil || os.Remove(file) != nil {
		t.Fatal("somebody listens", err)
	}
	_, err = client.Get("https://" + unused(t))
	if err == nil || !strings.Contains(log.String(), "cannot be read again") {
		t.Errorf("logged is %q", log.String())
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
