//go:build pact

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// hanging serves a mock, but gives no answer to the requests that hang.
func hanging(t *testing.T, hangs func(*http.Request) bool) string {
	t.Helper()
	mock := mocktest.Start(t, mockserver.WithLogger(nil), mockserver.WithTokens(token))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hangs(r) {
			_, _ = io.Copy(io.Discard, r.Body) // before its end nobody looks whether the caller has gone
			<-r.Context().Done()
			return
		}
		mock.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Conformance ends by itself, with time left to remove its nodes, before that of --timeout is over.
func TestConformanceKeepsTheTime(t *testing.T) {
	t.Parallel()
	url := hanging(t, func(r *http.Request) bool { return r.Method == http.MethodPost })
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	err := settings{providerURL: url, token: token, conform: "nodes"}.conformance(ctx, new(report.Report))
	if err == nil || !strings.Contains(err.Error(), "conformance: the time of ") ||
		strings.Contains(err.Error(), "still be registered") {
		t.Errorf("error %v", err)
	}
}

// Whoever interrupts it learns which nodes may be left.
func TestInterruptedConformance(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var interrupted atomic.Bool
	url := hanging(t, func(r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/conform-") { // so conformance has begun
			interrupted.Store(true)
			interrupt()
		}
		return interrupted.Load()
	})
	var stdout, stderr bytes.Buffer
	short := shortened(t, pact, "a deregistration")
	args := []string{"--provider-url", url, "--pact", short, "--conform", "nodes", "--timeout", "8s"}
	status := run(ctx, args, &stdout, &stderr, func(string) string { return token })
	if status != 2 || !strings.Contains(stderr.String(), "may still be registered, with conform-") {
		t.Errorf("exit status %d, stderr: %s", status, &stderr)
	}
}

// shortened writes a copy of a pact with one interaction alone, and returns its path.
func shortened(t *testing.T, file, description string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	whole["interactions"] = slices.DeleteFunc(whole["interactions"].([]any), func(i any) bool {
		return i.(map[string]any)["description"] != description
	})
	if text, err = json.Marshal(whole); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pact.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConformance_heavy has the pact and the document in one report, with one exit status.
func TestConformance_heavy(t *testing.T) {
	race.Skip(t)
	mock := mocktest.Start(t, mockserver.WithLogger(nil), mockserver.WithTokens(token))
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" { // which no pact has
			w.WriteHeader(http.StatusForbidden)
			return
		}
		mock.ServeHTTP(w, r)
	}))
	t.Cleanup(broken.Close)
	stdout, _ := pactVerify(t, 1, "--provider-url", broken.URL, "--pact", pact, "--conform", "nodes")
	for _, want := range []string{
		"passed   a heartbeat with one pool\n",
		"passed   lives: what happens to nodes in their lives",
		"; conformance at level nodes, with the seed ",
		"FAILED   registerNode: status with X-Forwarded-For 192.0.2.1, 192.0.2.2: expected 200, got 403\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
}
