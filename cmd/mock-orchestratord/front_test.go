package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/devcert"
	"github.com/llama-orch/node-registration/mockserver"
)

// mutualTLS starts an orchestratord that answers those that show one of its certificates. Its
// version of TLS is 1.2, in which a client knows before its request that it is refused.
func mutualTLS(t *testing.T, files devcert.Files) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(files.Server, files.Server)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "answered")
	}))
	server.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func TestTLSToTheUpstream(t *testing.T) {
	files, others := certificates(t), certificates(t)
	url := mutualTLS(t, files)
	for name, test := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"trusted": {
			[]string{"--upstream-ca", files.CA, "--upstream-cert", files.Client, "--upstream-key", files.Client},
			200,
			"answered",
		},
		"not trusted": {
			[]string{"--upstream-ca", others.CA, "--upstream-cert", files.Client, "--upstream-key", files.Client},
			502,
			"signed by unknown authority",
		},
		"not trusted by the system": {nil, 502, "signed by unknown authority"},
		"no certificate":            {[]string{"--upstream-ca", files.CA}, 502, "remote error: tls: "},
		"another's certificate": {
			[]string{"--upstream-ca", files.CA, "--upstream-cert", others.Client, "--upstream-key", others.Client},
			502,
			"remote error: tls: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			program := start(t, nil, append([]string{"--upstream", url}, test.args...)...)
			answer, err := http.Get(program.url + "/v2/nodes")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != test.status || !strings.Contains(string(text), test.says) {
				t.Errorf("answered %d %s (%v), want %d and %q", answer.StatusCode, text, err, test.status, test.says)
			}
		})
	}
}

// TestTLS13ToTheUpstream shows no certificate to an orchestratord that requires one. Whether the
// refusal or the end of the connection comes first is for the network to decide: nodes get a 502
// or a broken connection, and no answer in either case.
func TestTLS13ToTheUpstream(t *testing.T) {
	dev := private(t)
	orchestratord := start(t, nil, "--tls-dev", "--tls-dir", dev, "--mtls")
	program := start(t, nil, "--upstream", orchestratord.url, "--upstream-ca", filepath.Join(dev, "ca.pem"))
	answer, err := http.Get(program.url + "/v2/nodes")
	if own, err := http.Get(program.url + "/healthz"); err != nil || own.StatusCode != http.StatusOK {
		t.Errorf("after that, the program itself answers %+v, %v", own, err)
	} else {
		_ = own.Body.Close()
	}
	if err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the connection ended with %v", err)
		}
		return
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusBadGateway {
		t.Errorf("answered %d %s, want 502", answer.StatusCode, text)
	}
}

// TestDriftOfTheUpstream has either side depart from the document: each ends the program with its status.
func TestDriftOfTheUpstream(t *testing.T) {
	const nodes, upstream = "requests departed from the contract", "answers of orchestratord departed from the contract"
	for _, test := range []struct {
		answer, query string
		status        int
		says          string
	}{
		{`{"nodes":[],"count":0}`, "", 0, ""},
		{`{"nodes":[],"count":0}`, "?all=1", driftStatus, nodes},
		{`{"nodes":[]}`, "", driftStatus, upstream},
		{`{"nodes":[]}`, "?all=1", driftStatus, nodes + "; " + upstream},
	} {
		orchestratord := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, test.answer)
		}))
		program := start(t, nil, "--upstream", orchestratord.URL, "--fail-on-drift", "--log-level", "error")
		answer, err := http.Get(program.url + "/v2/nodes" + test.query)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		status, _, stderr := program.stop()
		orchestratord.Close()
		for title, sentence := range map[string]string{
			"drift of nodes from the contract, 1 departure:":         nodes,
			"drift of orchestratord from the contract, 1 departure:": upstream,
		} {
			if listed := strings.Contains(stderr, title); listed != strings.Contains(test.says, sentence) {
				t.Errorf("%s and the answer %s: %q is listed: %t", test.query, test.answer, title, listed)
			}
		}
		_, says, _ := strings.Cut(stderr, "mock-orchestratord: ")
		if status != test.status || strings.TrimSpace(says) != test.says {
			t.Errorf("%s and the answer %s: exit status %d and %q, want %d and %q\n%s", test.query, test.answer,
				status, says, test.status, test.says, stderr)
		}
	}
}

// TestFlagsComeBeforeTheToken states the token for the upstream in either way that comes before the environment.
func TestFlagsComeBeforeTheToken(t *testing.T) {
	for flag, value := range map[string]string{
		"--upstream-token": "s3cret", "--upstream-token-file": write(t, filepath.Join(t.TempDir(), "token"), "s3cret"),
	} {
		for _, token := range []string{"another", " "} {
			program := start(t, map[string]string{"LLORCH_API_TOKEN": token},
				"--upstream", "http://127.0.0.1:1", flag, value)
			if status, _, stderr := program.stop(); status != 0 {
				t.Errorf("%s and %q: exit status %d, %s", flag, token, status, stderr)
			}
		}
	}
}

// TestTokenForTheList states the token as files and scripts do, with white space around it.
func TestTokenForTheList(t *testing.T) {
	token := strings.Repeat("s3cret", 2000) // such as a JWT that lists many groups
	file := write(t, filepath.Join(t.TempDir(), "token"), token+"\n")
	for _, f := range []front{{token: " " + token + " "}, {tokenFile: file}} {
		if got, err := f.listToken()(t.Context()); got != token || err != nil {
			t.Errorf("the token has %d characters, want %d, %v", len(got), len(token), err)
		}
	}
}

func TestMistakesAboutTheUpstream(t *testing.T) {
	files := certificates(t)
	none := filepath.Join(t.TempDir(), "none")
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no authority":  {[]string{"--upstream-ca", none}, "--upstream-ca: "},
		"no key":        {[]string{"--upstream-cert", files.Client}, "one needs the other"},
		"a key as one":  {[]string{"--upstream-cert", files.CA, "--upstream-key", files.CA}, files.CA},
		"white space":   {[]string{"--upstream-token", " "}, `--upstream-token: " " is white space alone`},
		"two tokens":    {[]string{"--upstream-token", "a", "--upstream-token-file", "b"}, "choose one"},
		"tokens":        {[]string{"--token", "s3cret"}, "--token is for the orchestratord at --upstream to set"},
		"an interval":   {[]string{"--heartbeat-interval", "9s"}, "--heartbeat-interval is for the orchestratord at"},
		"a check":       {[]string{"--stale-check-interval", "9s"}, "--stale-check-interval is for the orchestratord"},
		"a profile":     {[]string{"--cloud-profile"}, "--cloud-profile is for the orchestratord at"},
		"strict":        {[]string{"--validation", "strict"}, "nothing is refused"},
		"another place": {[]string{"--upstream", "ftp://h"}, `--upstream is "ftp://h": must be an http or https URL`},
		"a password":    {[]string{"--upstream", "http://u:s3cret@h"}, "--upstream: holds credentials"},
		"an odd one":    {[]string{"--upstream", "http://u:#s3cret@h"}, "--upstream: has a query or a fragment"},
		"an odder one":  {[]string{"--upstream", "http://u:/?s3cret@h"}, "--upstream: has a query or a fragment"},
		"no URL":        {[]string{"--upstream", "http://u:a?s3cret@h"}, "must be an http or https URL"},
		"no scheme":     {[]string{"--upstream", "u:s3cret@h"}, "--upstream: lacks its scheme, http:// or https://\n"},
	} {
		t.Run(name, func(t *testing.T) {
			said := refuses(t, test.says, append([]string{"--upstream", "https://127.0.0.1:1"}, test.args...)...)
			if strings.Contains(said, "s3cret") {
				t.Errorf("a secret is in %q", said)
			}
		})
	}
}

// sized is a transport that takes requests to a handler, and knows how long the answers are. Without
// their lengths, such as from mocktest.Transport, a timer of the proxy flushes them: it waits for a mutex
// while the client pauses, and no time passes in a bubble that waits for one.
type sized struct{ http.Handler }

func (s sized) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, r)
	answer := recorder.Result()
	answer.ContentLength = int64(recorder.Body.Len())
	return answer, nil
}

// inFrontOf returns a mock in front of another.
func inFrontOf(t *testing.T, mock *mockserver.Server) *mockserver.Server {
	t.Helper()
	front, err := mockserver.New(mockserver.WithUpstream(mockserver.Upstream{
		URL: "http://orchestratord.example", Transport: sized{mock},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	return front
}

// TestSlowBodyInFront sends the body of a registration in two pieces. How long that may take is for the
// orchestratord to decide.
func TestSlowBodyInFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New()
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		memory, stop := serveInMemory(t, inFrontOf(t, mock).ServeHTTP)
		defer stop()
		connection := memory.dial()
		defer connection.Close()
		go func() {
			_, _ = io.WriteString(connection, "POST /v2/nodes/register HTTP/1.1\r\nHost: mock\r\n"+
				"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
			time.Sleep(2 * readTimeout)
			_, _ = io.WriteString(connection, "}")
		}()
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil || answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("answered %+v, %v", answer, err)
		}
	})
}
