package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// runDrift runs the command, and returns what it writes and its exit status.
func runDrift(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out, errs strings.Builder
	status := run(context.Background(), append([]string{"drift", "--document", "../../openapi/nodes.yaml"}, args...),
		&out, &errs)
	return out.String() + errs.String(), status
}

// TestDriftOfAJournal records traffic with drift on both sides, and finds the same in the archive.
func TestDriftOfAJournal(t *testing.T) {
	orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService))
	front := mocktest.Start(t, mockserver.WithUpstream(mockserver.Upstream{URL: orchestratord.URL}))
	for _, body := range []string{
		`{"timestamp":"2025-10-01T00:00:00Z","pools":[]}`,
		`{"timestamp":"2025-10-01T00:00:00Z","pools":[],"uptime":3}`,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			front.URL+"/v2/nodes/gpu-node-1/heartbeat?fast=1", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer s3cret-of-a-node")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	answer, err := http.Get(front.URL + "/__mock/journal.har")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	archive, err := io.ReadAll(answer.Body)
	if err != nil || !json.Valid(archive) {
		t.Fatalf("no archive: %s, %v", archive, err)
	}
	if strings.Contains(string(archive), "s3cret") {
		t.Errorf("the archive has a token in it: %s", archive)
	}
	name := filepath.Join(t.TempDir(), "journal.har")
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	shown, status := runDrift(t, name)
	if status != 1 {
		t.Errorf("exit status %d, want 1:\n%s", status, shown)
	}
	found := 0
	for side, entries := range map[string][]string{
		"nodes":         departures(front.Drift()),
		"orchestratord": departures(front.UpstreamDrift()),
	} {
		for _, departure := range entries {
			found++
			if !strings.Contains(shown, side+": "+departure) {
				t.Errorf("the archive does not show %s: %s\n%s", side, departure, shown)
			}
		}
	}
	if found < 3 {
		t.Errorf("there were %d departures, want those of the query, a field and an answer", found)
	}
}

func TestDriftOfArchives(t *testing.T) {
	entry := func(request, response string) string {
		return `{"log":{"version":"1.2","entries":[{"request":` + request + `,"response":` + response + `}]}}`
	}
	const beat = `{"method":"POST","url":"https://o.example/v2/nodes/n/heartbeat","headers":[{"name":"content-type",` +
		`"value":"application/json"}],` +
		`"postData":{"text":"{\"timestamp\":\"2025-10-01T00:00:00Z\",\"pools\":[]}"},"bodySize":-1}`
	const fine = `{"status":200,"headers":[{"name":"content-type","value":"application/json"}],` +
		`"content":{"size":42,"text":"{\"success\":true,\"next_heartbeat_ms\":10000}"}}`
	for name, test := range map[string]struct {
		archive string
		status  int
		says    string
	}{
		"both keep the contract": {entry(beat, fine), 0, "nodes: 0 departures; orchestratord: 0 departures"},
		"an answer in base64": {entry(beat,
			`{"status":200,"headers":[{"name":"content-type","value":"application/json"}],`+
				`"content":{"size":2,"text":"e30=","encoding":"base64"}}`), 1, "must be there"},
		"a status that is none": {entry(beat, `{"status":418,"headers":[],"content":{"size":0}}`), 1, "418"},
		"no answer":             {entry(beat, `{"status":0,"headers":[],"content":{"size":0}}`), 0, "0 departures"},
		"a body that was cut": {
			entry(strings.Replace(beat, `"bodySize":-1`, `"bodySize":9000`, 1), fine), 0, "0 departures",
		},
		"nothing of a node": {
			entry(`{"method":"GET","url":"https://o.example/favicon.ico","headers":[]}`, fine), 2,
			"none of its 1 request",
		},
		"no archive": {`{"nodes":[]}`, 2, "there is no log in it"},
		"no JSON":    {`<har>`, 2, "HTTP archive"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.har")
			if err := os.WriteFile(file, []byte(test.archive), 0o600); err != nil {
				t.Fatal(err)
			}
			if shown, status := runDrift(t, file); status != test.status || !strings.Contains(shown, test.says) {
				t.Errorf("exit status %d, want %d and %q:\n%s", status, test.status, test.says, shown)
			}
		})
	}
}

func departures(found drift.Report) []string {
	var texts []string
	for _, entry := range found.Entries {
		texts = append(texts, entry.Departure.String())
	}
	return texts
}
