package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// TestDriftOfAJournal has traffic pass a front, and finds in the archive of its journal what the
// front has found.
func TestDriftOfAJournal(t *testing.T) {
	const beat = "/v2/nodes/gpu-node-1/heartbeat"
	for name, test := range map[string]struct {
		dialect mockserver.Dialect // of the orchestratord
		traffic func(*traffic)
		found   int
		status  int
	}{
		"a query, a field and an answer": {mockserver.InService, func(on *traffic) {
			on.post(beat+"?fast=1", emptyHeartbeat)
			on.post(beat+"?fast=1", strings.Replace(emptyHeartbeat, "{", `{"uptime":3,`, 1))
		}, 3, 1},
		"a node that beats and is not listed": {mockserver.InService, func(on *traffic) {
			on.post("/v2/nodes/register", rustRegistration)
			on.post(beat, emptyHeartbeat)
			time.Sleep(50 * time.Second)
			for range 3 {
				on.post(beat, emptyHeartbeat)
				time.Sleep(4 * time.Second)
			}
			on.list()
		}, 1, 1},
		"what the orchestratord in service would refuse": {mockserver.Document, func(on *traffic) {
			on.post("/v2/nodes/register", briefRegistration)
		}, 1, 0},
		"credentials without a token": {mockserver.Document, func(on *traffic) {
			on.credentials = "bearer"
			on.list()
		}, 1, 1},
		"credentials of another kind": {mockserver.Document, func(on *traffic) {
			on.credentials = "Token s3cret-of-a-node"
			on.list()
		}, 1, 1},
		"a body that is encoded": {mockserver.Document, func(on *traffic) {
			on.encoding = "gzip"
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			_, _ = io.WriteString(w, emptyHeartbeat)
			_ = w.Close()
			on.post(beat, packed.String())
		}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var archive []byte
			var live []string
			synctest.Test(t, func(t *testing.T) {
				on := newTraffic(t, test.dialect)
				test.traffic(on)
				archive, live = on.archive(), on.found()
			})
			if len(live) != test.found {
				t.Errorf("the front has found %d departures, want %d: %v", len(live), test.found, live)
			}
			if strings.Contains(string(archive), "s3cret") {
				t.Errorf("the archive has a token in it: %s", archive)
			}
			file := written(t, "journal.har", string(archive))
			shown, status := runDrift(t, file)
			if status != test.status {
				t.Errorf("exit status %d, want %d:\n%s", status, test.status, shown)
			}
			if n := len(live); strings.Count(shown, "FAILED")+strings.Count(shown, "pending") != n {
				t.Errorf("the archive shows others than %v:\n%s", live, shown)
			}
			for _, departure := range live {
				if !strings.Contains(shown, departure) {
					t.Errorf("the archive does not show %s\n%s", departure, shown)
				}
			}
		})
	}
}

const (
	emptyHeartbeat    = `{"timestamp":"2025-10-01T00:00:00Z","pools":[]}`
	briefRegistration = `{"node_id":"gpu-node-1","machine_id":"machine-alpha","address":"http://127.0.0.1:9200",` +
		`"pools":["pool-0"],"capabilities":{"gpu_count":1,"total_vram_mb":24000,"cuda_version":"12.1"}}`
	rustRegistration = `{"node_id":"gpu-node-1","machine_id":"machine-alpha","address":"http://127.0.0.1:9200",` +
		`"pools":["pool-0"],"capabilities":{"gpu_count":1,"total_vram_mb":24000,"cuda_version":"12.1",` +
		`"gpus":[{"device_id":0,"name":"NVIDIA GeForce RTX 3090","vram_total_bytes":24000000000,` +
		`"compute_capability":"8.6"}]}}`
)

// traffic is what passes a front.
type traffic struct {
	t           *testing.T
	front       *mocktest.Server
	encoding    string // of request bodies
	credentials string
}

func newTraffic(t *testing.T, dialect mockserver.Dialect) *traffic {
	behind := mocktest.InMemory(t, mockserver.WithDialect(dialect))
	front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
		URL: behind.URL, Transport: mocktest.Transport(behind.Server),
	}))
	return &traffic{t: t, front: front, credentials: "Bearer s3cret-of-a-node"}
}

func (on *traffic) post(path, body string) { on.do(http.MethodPost, path, body) }

func (on *traffic) list() { on.do(http.MethodGet, "/v2/nodes", "") }

func (on *traffic) archive() []byte { return on.do(http.MethodGet, "/__mock/journal.har", "") }

func (on *traffic) do(method, path, body string) []byte {
	on.t.Helper()
	request, err := http.NewRequestWithContext(on.t.Context(), method, on.front.URL+path, strings.NewReader(body))
	if err != nil {
		on.t.Fatal(err)
	}
	request.Header.Set("Authorization", on.credentials)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if body != "" && on.encoding != "" {
		request.Header.Set("Content-Encoding", on.encoding)
	}
	answer, err := on.front.Client().Do(request)
	if err != nil {
		on.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		on.t.Fatal(err)
	}
	return text
}

// found returns what the front has found, as the report shows it.
func (on *traffic) found() []string {
	var all []string
	for side, found := range map[string]drift.Report{
		"nodes": on.front.Drift(), "orchestratord": on.front.UpstreamDrift(),
		"refused in service": on.front.RefusedInService(),
	} {
		for _, entry := range found.Entries {
			all = append(all, side+": "+entry.Departure.String())
		}
	}
	return all
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
			file := written(t, "x.har", test.archive)
			if shown, status := runDrift(t, file); status != test.status || !strings.Contains(shown, test.says) {
				t.Errorf("exit status %d, want %d and %q:\n%s", status, test.status, test.says, shown)
			}
		})
	}
}

// TestDriftOfRecordedLists has lists without a node at several times. They drift if the node was known to
// beat when they were asked for.
func TestDriftOfRecordedLists(t *testing.T) {
	entry := func(started string, took int, method, path, body, answer string) string {
		return fmt.Sprintf(`{"startedDateTime":"2025-10-01T00:00:%sZ","time":%d,"request":{"method":%q,`+
			`"url":"http://o.example/v2/nodes%s","headers":[{"name":"Content-Type","value":"application/json"}],`+
			`"postData":{"text":%q}},"response":{"status":200,"content":{"size":-1,"text":%q},`+
			`"headers":[{"name":"Content-Type","value":"application/json"}]}}`,
			started, took, method, path, body, answer)
	}
	beat := func(started string, took int) string {
		return entry(started, took, "POST", "/gpu-node-1/heartbeat", emptyHeartbeat,
			`{"success":true,"next_heartbeat_ms":10000}`)
	}
	list := func(started string, took int) string {
		return entry(started, took, "GET", "", "", `{"nodes":[],"count":0}`)
	}
	for name, test := range map[string]struct {
		entries []string
		status  int
	}{
		"while it beats":             {[]string{beat("10.0", 5), list("12.0", 5)}, 1},
		"newest first":               {[]string{list("12.0", 5), beat("10.0", 5)}, 1},
		"before it beats":            {[]string{list("08.0", 5), beat("10.0", 5)}, 0},
		"before that, newest first":  {[]string{beat("10.0", 5), list("08.0", 5)}, 0},
		"before its beat was over":   {[]string{beat("10.0", 500), list("10.4", 500)}, 0},
		"after a long silence":       {[]string{beat("10.0", 5), list("26.0", 5)}, 0},
		"after a silence and a beat": {[]string{beat("10.0", 5), beat("24.0", 5), list("26.0", 5)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			file := written(t, "x.har", `{"log":{"version":"1.2","entries":[`+strings.Join(test.entries, ",")+`]}}`)
			if shown, status := runDrift(t, file); status != test.status {
				t.Errorf("exit status %d, want %d:\n%s", status, test.status, shown)
			}
			// One that is silent for long is Offline by then, and need not be listed.
			if shown, status := runDrift(t, file, "--node-timeout", "3s"); status != 0 {
				t.Errorf("with a short timeout the exit status is %d:\n%s", status, shown)
			}
		})
	}
}
