package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/internal/devcert"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

func TestAFleetThatIsInterruptedBeforeItBegins(t *testing.T) {
	emptyEnvironment(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, log bytes.Buffer
	if status := run(ctx, fleetArgs(mocktest.Start(t).URL), &out, &log); status != brokenStatus ||
		!strings.Contains(log.String(), "interrupted before any node was registered") {
		t.Errorf("status %d, error %q", status, log.String())
	}
}

func fleetArgs(url string, more ...string) []string {
	return append([]string{
		"fleet", "--orchestratord-url", url, "--nodes", "5", "--interval", "10s", "--ramp", "0",
		"--for", "1ms",
	}, more...)
}

// ran reports whether a fleet ran to its end. On a busy machine its heartbeats may be late, which
// is status 3.
func ran(status int) bool { return status == 0 || status == 3 }

func TestAFleetFromFlags(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	var out, log bytes.Buffer
	status := run(t.Context(), fleetArgs(orchestratord.URL, "--token", "secret"), &out, &log)
	if !ran(status) {
		t.Errorf("status %d: %s", status, log.String())
	}
	for _, want := range []string{
		"fleet: 5 nodes, a heartbeat every 10s", "registered", "p99.9", "goroutines",
		map[int]string{0: "every promise was kept", 3: "BROKEN"}[status],
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, out.String())
		}
	}
	if nodes := orchestratord.Nodes(); len(nodes) != 0 {
		t.Errorf("left on record: %v", nodes)
	}
}

// The nodes of a fleet show who they are, and trust whom they should.
func TestAFleetOverMutualTLS(t *testing.T) {
	emptyEnvironment(t)
	files, err := devcert.Make(t.Context(), filepath.Join(t.TempDir(), "tls"))
	if err != nil {
		t.Fatal(err)
	}
	served, err := tls.LoadX509KeyPair(files.Server, files.Server)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	nodes := x509.NewCertPool()
	nodes.AppendCertsFromPEM(authority)
	server := httptest.NewUnstartedServer(mocktest.InMemory(t))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{served}, ClientCAs: nodes,
		ClientAuth: tls.RequireAndVerifyClientCert,
	}
	server.StartTLS()
	defer server.Close()

	for name, test := range map[string]struct {
		args []string
		want string // of the error, empty for none
	}{
		"both know each other": {
			[]string{"--tls-ca", files.CA, "--tls-cert", files.Client, "--tls-key", files.Client}, "",
		},
		"no certificate": {[]string{"--tls-ca", files.CA}, "certificate required"},
		"no trust":       {[]string{"--tls-cert", files.Client, "--tls-key", files.Client}, "unknown authority"},
		"no file":        {[]string{"--tls-ca", "none.pem"}, "--tls-ca: stat none.pem"},
		"no key":         {[]string{"--tls-cert", files.Client}, "--tls-cert is set and --tls-key is not"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			status := run(t.Context(), fleetArgs(server.URL, test.args...), &out, &log)
			if ran(status) != (test.want == "") || !strings.Contains(log.String(), test.want) {
				t.Errorf("status %d, error %q, want %q", status, log.String(), test.want)
			}
		})
	}
}

func TestAFleetThatCannotBe(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	for name, test := range map[string]struct{ url, want string }{
		"no orchestratord": {"http://127.0.0.1:1", "refused"},
		"no token":         {orchestratord.URL, "answered 401"},
		"another server":   {orchestratord.URL + "/docs", "orchestratord cannot be asked for its nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			status := run(t.Context(), fleetArgs(test.url), &out, &log)
			if status != 1 || out.Len() != 0 || !strings.Contains(log.String(), test.want) {
				t.Errorf("status %d, output %q, error %q, want %q", status, out.String(), log.String(), test.want)
			}
		})
	}
}

// With a ramp of 0 all nodes register at once, and not over an interval.
func TestAFleetWithoutARamp(t *testing.T) {
	emptyEnvironment(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // which only the interval would exhaust
	defer cancel()
	var out, log bytes.Buffer
	args := fleetArgs(mocktest.Start(t).URL, "--interval", "5m", "--node-timeout", "15m", "--report", "json")
	if status := run(ctx, args, &out, &log); !ran(status) || !strings.Contains(out.String(), `"unregistered": 0,`) {
		t.Errorf("status %d: %s%s", status, log.String(), out.String())
	}
}

// Without --ramp the registrations of a fleet are spread over an interval.
func TestAFleetBeginsGently(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.InMemory(t)
	var asked, last atomic.Int64 // the first is before the ramp begins
	begin := time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.CompareAndSwap(0, int64(time.Since(begin)))
		if strings.HasSuffix(r.URL.Path, "/register") {
			last.Store(int64(time.Since(begin)))
		}
		orchestratord.ServeHTTP(w, r)
	}))
	defer server.Close()
	var out, log bytes.Buffer
	args := []string{"fleet", "--orchestratord-url", server.URL, "--nodes", "2", "--interval", "1s", "--for", "1ms"}
	if status := run(t.Context(), args, &out, &log); !ran(status) {
		t.Errorf("status %d: %s", status, log.String())
	}
	if spread := time.Duration(last.Load() - asked.Load()); spread < time.Second/2 {
		t.Errorf("the second of two nodes registered within %v", spread)
	}
}
