//go:build pact

package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

const (
	pact  = "../../contracts/pacts/pool-managerd-orchestratord.json"
	token = "the-token-of-this-orchestratord-0123456789"
)

// pactVerify runs the program with the token in its environment, and returns what it
// wrote.
func pactVerify(t *testing.T, wantStatus int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	getenv := func(name string) string { return map[string]string{"LLORCH_API_TOKEN": token + "\n"}[name] }
	status := run(t.Context(), args, &out, &errs, getenv)
	if status != wantStatus {
		t.Fatalf("pact-verify %s: exit status %d, not %d\n%s%s", strings.Join(args, " "), status, wantStatus, &out,
			&errs)
	}
	if strings.Contains(out.String()+errs.String(), token) {
		t.Errorf("the token is in the output:\n%s%s", &out, &errs)
	}
	if status == 2 && (!strings.HasPrefix(errs.String(), "pact-verify: ") || strings.Count(errs.String(), "\n") != 1) {
		t.Errorf("not one line that explains it:\n%s%s", &out, &errs)
	}
	if status == 2 && out.Len() > 0 && !strings.Contains(out.String(), ", 1 undecided") {
		t.Errorf("a report of what is undecided does not say so:\n%s", &out)
	}
	return out.String(), errs.String()
}

func TestBrokenContract(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	stdout, stderr := pactVerify(t, 1, "--provider-url", server.URL, "--pact", pact,
		"--report", "human", "--report", "github", "--report", "junit="+filepath.Join(dir, "junit.xml"))
	for _, want := range []string{
		"FAILED   a heartbeat with one pool\n",
		"$: Actual map is missing the following keys: next_heartbeat_ms, success\n",
		"::error title=pool-managerd and orchestratord::a heartbeat with one pool%0A",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s%s", want, stdout, stderr)
		}
	}
	written, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err != nil || !strings.Contains(string(written), "<failure message=") {
		t.Errorf("the error is %v, the JUnit report:\n%s", err, written)
	}
}

// A token on the command line comes before whatever name the environment has for the broker.
func TestTokenComesBeforeTheEnvironment(t *testing.T) {
	var out, errs bytes.Buffer
	args := []string{"--provider-url", closedPort(t), "--broker-url", closedPort(t), "--broker-token", "t"}
	run(t.Context(), args, &out, &errs, func(name string) string {
		return map[string]string{"PACT_BROKER_USERNAME": "somebody"}[name]
	})
	if want := "Pact Broker does not answer"; !strings.Contains(errs.String(), want) {
		t.Errorf("no %q in: %s", want, &errs)
	}
}

// TestResultsThatCouldNotBeWritten has --results name the file of a report, or one in a folder that is missing. The
// program says so before it asks anything.
func TestResultsThatCouldNotBeWritten(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	for results, want := range map[string]string{
		file:                                  "--results names the file of a report",
		filepath.Join(link, "file"):           "--results names the file of a report",
		filepath.Join(dir, "missing", "file"): "--results: write " + filepath.Join(dir, "missing", "file"),
	} {
		for _, args := range [][]string{
			{"--results", results, "--report", "json=" + file}, {"--report", "json=" + file, "--results", results},
		} {
			args = append(args, "--provider-url", closedPort(t), "--pact", pact)
			if _, stderr := pactVerify(t, 2, args...); !strings.Contains(stderr, want) {
				t.Errorf("%q: no %q in: %s", args, want, stderr)
			}
		}
	}
}

// The URL of orchestratord is repeated only if there can be no password in it.
func TestNoPasswordIsReported(t *testing.T) {
	for _, url := range []string{
		"http://user:p4ss@host", "http://user:p4ss%zz@host", "user:p4ss@host",
		"http://host?token=p4ss",
	} {
		for _, flag := range []string{"--provider-url", "--broker-url", "--pact-url", "--build-url"} {
			stdout, stderr := pactVerify(t, 2, "--provider-url", closedPort(t), "--pact", pact, flag, url)
			if strings.Contains(stdout+stderr, "p4ss") {
				t.Errorf("%s %s: %s%s", flag, url, stdout, stderr)
			}
		}
	}
}

func TestAuthorityOfItsOwn(t *testing.T) {
	mock, err := mockserver.New(mockserver.WithTokens(token))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	server := httptest.NewUnstartedServer(mock)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // one of the handshakes is to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(authority, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	pactVerify(t, 0, "--provider-url", server.URL, "--pact", pact, "--ca-cert", authority)
	_, stderr := pactVerify(t, 2, "--provider-url", server.URL, "--pact", pact)
	if !strings.Contains(stderr, "certificate signed by unknown authority") {
		t.Errorf("stderr: %s", stderr)
	}
}

// What cannot be interrupted holds nobody up for longer than the time that there is.
func TestTimeoutHolds(t *testing.T) {
	t.Parallel()
	unread, stdout := io.Pipe()
	t.Cleanup(func() { unread.Close() }) // so that the writer ends
	var stderr bytes.Buffer
	args := []string{"--provider-url", "http://127.0.0.1:1", "--pact", pact, "--timeout", "1ms"}
	status := run(t.Context(), args, stdout, &stderr, func(string) string { return "" })
	if status != 2 || !strings.Contains(stderr.String(), "the 1ms of --timeout are over") {
		t.Errorf("exit status %d, stderr: %s", status, &stderr)
	}
}

// A provider that makes its connections something else ends the verification.
func TestSwitchingProtocols(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			io.WriteString(connection,
				"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n")
		}
	}))
	t.Cleanup(server.Close)
	_, stderr := pactVerify(t, 2, "--provider-url", server.URL, "--pact", pact)
	if !strings.Contains(stderr, "/v2/nodes was answered 101, and then nothing that HTTP allows") {
		t.Errorf("stderr: %s", stderr)
	}
}

// edited writes a copy of the committed pact with a text replaced, and returns its
// path.
func edited(t *testing.T, old, replacement string) string {
	t.Helper()
	text, err := os.ReadFile(pact)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the pact has no %q", old)
	}
	path := filepath.Join(t.TempDir(), "pact.json")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, replacement)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
