package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// program is the program, running in this process.
type program struct {
	url  string
	stop func() (status int, stdout, stderr string) // what it has printed since it listens, and all it has logged
}

// start runs the program on a free port until the test ends.
func start(t *testing.T, env map[string]string, args ...string) program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"--addr", "127.0.0.1:0"}, args...), out, &stderr,
			func(name string) string { return env[name] })
		out.Close()
	}()
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	url, found := strings.CutPrefix(line, "mock-orchestratord listens on ")
	url, _, _ = strings.Cut(url, " ")
	if err != nil || !found {
		t.Fatalf("it printed %q (%v) and logged %s", line, err, &stderr)
	}
	stopped := false
	p := program{url: url, stop: func() (int, string, string) {
		stopped = true
		cancel()
		rest, _ := io.ReadAll(lines)
		return <-ended, string(rest), stderr.String()
	}}
	t.Cleanup(func() {
		if !stopped {
			p.stop()
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return p
}

func get(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v2/nodes", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestProgram(t *testing.T) {
	program := start(t, nil, "--log-format", "json")
	if status := get(t, program.url, ""); status != http.StatusOK {
		t.Errorf("GET: status %d", status)
	}
	status, stdout, stderr := program.stop()
	if status != 0 || stdout != "" || stderr != "" {
		t.Errorf("exit status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// TestRequestInFlight stops the program in the middle of a request, which is answered
// nevertheless.
func TestRequestInFlight(t *testing.T) {
	program := start(t, nil)
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, program.url+"/v2/nodes/register", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	// The body is not sent before the program asks for it.
	r.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	answered := make(chan int, 1)
	go func() {
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		response.Body.Close()
		answered <- response.StatusCode
	}()
	io.WriteString(send, "{")
	exited := make(chan int, 1)
	go func() {
		status, _, _ := program.stop()
		exited <- status
	}()
	io.WriteString(send, "}")
	send.Close()
	if status := <-answered; status != http.StatusUnprocessableEntity {
		t.Errorf("POST: status %d", status)
	}
	if status := <-exited; status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// endsWith is an output at whose first word a program is stopped. One that should have refused its settings
// says on standard output where it listens.
type endsWith struct {
	bytes.Buffer
	stop func()
}

func (w *endsWith) Write(text []byte) (int, error) {
	w.stop()
	return w.Buffer.Write(text)
}

// ending is a text that ends something when it begins.
type ending struct {
	bytes.Buffer
	end func()
}

func (e *ending) Write(text []byte) (int, error) {
	e.end()
	return e.Buffer.Write(text)
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, &stdout, &stderr,
		func(string) string { return "" }); status != 0 || stderr.Len() > 0 {
		t.Errorf("exit status %d, stderr %q", status, &stderr)
	}
	for _, want := range []string{
		"--addr", "ORCHD_ADDR", "ORCHESTRATORD_ADDR", "127.0.0.1:8080", "--token", "LLORCH_API_TOKEN",
		"--node-timeout", "ORCHESTRATORD_NODE_TIMEOUT_MS", "ORCHESTRATORD_NODE_TIMEOUT_SECS", "30s",
		"--heartbeat-interval", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS", "10s",
		"--stale-check-interval", "ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS",
		"--cloud-profile", "ORCHESTRATORD_CLOUD_PROFILE", "--dialect", "--validation", "--fail-on-drift",
		"--fail-on-refused-in-service", "--log-level", "--log-format",
		"--tls-cert", "--tls-key", "--tls-dev", "--tls-dir", "--tls-host", "--tls-client-ca", "--mtls", "--cors-origin",
		"/docs", "/openapi.yaml", "/metrics", "/healthz",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the help lacks %s", want)
		}
	}
}
