package mockserver_test

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// statusOfRaw sends a text as exchangeRaw does, and returns the status of the answer, or 0 if there is none.
func statusOfRaw(t *testing.T, server *mocktest.Server, request string) int {
	t.Helper()
	text := exchangeRaw(t, server, request)
	if len(text) > 64<<10 {
		t.Errorf("%.80q is answered %d bytes", request, len(text))
	}
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil {
		return 0
	}
	return answer.StatusCode
}

// TestABodyThatCannotBeRead breaks off the framing of its body.
func TestABodyThatCannotBeRead(t *testing.T) {
	server := mocktest.Start(t)
	const head = "POST /v2/nodes/register HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n"
	if status := statusOfRaw(t, server, head+"2\r\n{}\r\nzz\r\n"); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
}

// TestPathTricks_heavy asks for paths that are written oddly. None leads to anything, above all
// not past the guard.
func TestPathTricks_heavy(t *testing.T) {
	race.Skip(t)
	client, server := start(t, mockserver.WithLogger(nil))
	for path, status := range map[string]int{
		"//":                                    404,
		"//v2/nodes":                            404,
		"/v2//nodes":                            404,
		"/v2/nodes/":                            404,
		"/v2/nodes/.":                           405, // a node may not be called so, but that is for DELETE to say
		"/v2/./nodes":                           404,
		"/v2/nodes/../nodes":                    404,
		"/v2/nodes/%2e%2e/nodes":                404,
		"/v2/nodes%00":                          404,
		"/v2%2fnodes":                           404,
		"/V2/NODES":                             404,
		"/v2/nodes;x=1":                         404,
		"/v2/nodes?":                            200,
		"/__mock/../v2/nodes":                   404,
		"/__mock/%2e%2e/v2/nodes":               404,
		"/v2/../__mock/nodes":                   404,
		"/%5f%5fmock/nodes":                     404,
		"/__mock//nodes":                        404,
		"/__mock/nodes/":                        404,
		"/__mock/nodes/..":                      400,
		"/__mock/nodes/%2e%2e%2fx":              400,
		"/__mock/nodes/%00":                     400,
		"/__mock/nodes/%ff":                     400,
		"/docs/../v2/nodes":                     404,
		"/docs/%2e%2e/%2e%2e/etc/passwd":        404,
		"/dashboard/../../go.mod":               404,
		"/dashboard/%2e%2e/%2e%2e/go.mod":       404,
		"/" + strings.Repeat("a/", 50_000):      404,
		"/__mock/" + strings.Repeat("a", 100e3): 404,
		"/v2/nodes/" + strings.Repeat("%41", 30_000) + "/heartbeat": 405,
		"/%":                          400, // as the HTTP server says
		"http://stray.example/":       403,
		"http://stray.example/__mock": 403,
		"*":                           404,
	} {
		request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path)
		if got := statusOfRaw(t, server, request); got != status {
			t.Errorf("%.60s: status %d, want %d", path, got, status)
		}
	}
	client.do("GET", "/v2/nodes", "").expect(t, http.StatusOK)
}

// TestRubbish_heavy sends what no client would, to both APIs. The server answers briefly, and
// then as before.
func TestRubbish_heavy(t *testing.T) {
	race.Skip(t)
	client, server := start(t, mockserver.WithLogger(nil))
	const register, load, patch = "POST /v2/nodes/register", "PUT /__mock/nodes", "PATCH /__mock/settings"
	deep := strings.Repeat("[", 100_000)
	send := func(line, header, body string) string {
		return fmt.Sprintf("%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n%s", line, header, body)
	}
	json := func(line, body string) string {
		return send(line, fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body)), body)
	}
	endless := func(line string) string {
		return send(line, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
			strings.Repeat("100000\r\n"+strings.Repeat(" ", 1<<20)+"\r\n", 20))
	}
	fields := strings.Builder{}
	for i := range 3_000 {
		fmt.Fprintf(&fields, `"field%d": 0, `, i)
	}
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400},
		{"no host", "GET /__mock HTTP/1.1\r\n\r\n", 400},
		{"old HTTP without a host", "GET /__mock HTTP/1.0\r\n\r\n", 403},
		{"two hosts", "GET /__mock HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
		{"odd host", "GET /__mock HTTP/1.1\r\nHost: [stray.example]\r\nConnection: close\r\n\r\n", 403},
		{"host with a user", "GET /__mock HTTP/1.1\r\nHost: localhost@stray.example\r\nConnection: close\r\n\r\n", 400},
		{
			"long host",
			"GET /__mock HTTP/1.1\r\nHost: " + strings.Repeat("a.", 50_000) + "x\r\nConnection: close\r\n\r\n", 403,
		},
		{
			"flood of headers",
			send("GET /v2/nodes", strings.Repeat("X-Flood: "+strings.Repeat("x", 1000)+"\r\n", 2000), ""), 431,
		},
		{"many headers", send("GET /v2/nodes", strings.Repeat("X: y\r\n", 10_000), ""), 200},
		{"one long header", send("GET /__mock", "Authorization: "+strings.Repeat("x", 500_000)+"\r\n", ""), 200},
		{"many correlation ids", send("GET /__mock", strings.Repeat("X-Correlation-Id: y\r\n", 10_000), ""), 200},

		{"deep registration", json(register, deep), 400},
		{"deep fixture", json(load, deep), 400},
		{"deep objects", json(patch, strings.Repeat(`{"a":`, 100_000)), 400},
		{"endless registration", endless(register), 413},
		{"endless fixture", endless(load), 413},
		{"violations by the thousand", json(load, `{"nodes": [`+strings.Repeat(`{},`, 50_000)+`{}]}`), 422},
		{"items by the hundred thousand", json(load, `{"nodes": [`+strings.Repeat(`0,`, 200_000)+`0]}`), 422},
		{"unknown fields by the thousand", json(patch, `{`+fields.String()+`"x": 0}`), 422},
		{"an unknown field with a long name", json(patch, `{"`+strings.Repeat("x", 1_000_000)+`": 0}`), 422},
		{"a long string", json(patch, `{"validation": "`+strings.Repeat("x", 1_000_000)+`"}`), 422},
		{"a long number", json(patch, `{"node_timeout_ms": `+strings.Repeat("9", 1_000_000)+`}`), 422},
		{
			"a body that is cut off", send(patch, "Content-Type: application/json\r\nContent-Length: 3\r\n", "{}\x00"),
			400,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := statusOfRaw(t, server, test.request); got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			client.as(t).do("GET", "/v2/nodes", "").expect(t, http.StatusOK)
			client.as(t).do("GET", "/__mock", "").expect(t, http.StatusOK)
		})
	}
}

// TestRubbishIsNotKept_heavy looks at the memory that is in use before and after a lot of it.
func TestRubbishIsNotKept_heavy(t *testing.T) {
	race.Skip(t)
	client, _ := start(t, mockserver.WithLogger(nil))
	client.docs = nil // the validator would be what takes time
	inUse := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC() // what is pooled takes two
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			rubbish := fmt.Sprintf(`{"node_id": "n", "x%d": "%s"}`, i, strings.Repeat("x", 100_000))
			client.do("POST", "/v2/nodes/register", rubbish, "Content-Type", "application/json").expect(t,
				http.StatusUnprocessableEntity)
			client.do("PUT", "/__mock/nodes", rubbish, "Content-Type", "application/json").expect(t,
				http.StatusUnprocessableEntity)
			client.do("GET", fmt.Sprintf("/__mock/nodes/%d/%s", i, strings.Repeat("x", 10_000)), "").expect(t,
				http.StatusNotFound)
		}
	}
	send(0, 30)
	before := inUse()
	send(30, 130)
	if after := inUse(); after > before+(5<<20) {
		t.Errorf("%d bytes were in use, and after 100 requests %d", before, after)
	}
}

// TestHostileNames has a node put into its fields what a page, a log or a terminal might
// obey.
func TestHostileNames(t *testing.T) {
	const hostile = "</script><script>alert(1)</script>\r\n\x1b[31m\u202e\u2028"
	var log bytes.Buffer
	client, _ := start(t, mockserver.WithValidation(mockserver.Report),
		mockserver.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	send := func(path, payload string, fields ...string) {
		for _, field := range fields {
			client.do("POST", path, edited(t, payload, field, hostile), "Content-Type", "application/json")
		}
		client.do("POST", path, edited(t, payload, "/"+strings.ReplaceAll(hostile, "/", "~1"), 1), "Content-Type",
			"application/json")
	}
	send("/v2/nodes/register", fullRegistration, "/node_id", "/machine_id", "/address", "/pools/0", "/version",
		"/capabilities/cuda_version", "/capabilities/gpus/0/name", "/capabilities/gpus/0/compute_capability")
	send("/v2/nodes/gpu-node-1/heartbeat", fullHeartbeat, "/timestamp", "/pools/0/pool_id", "/pools/0/engine",
		"/pools/0/models_available/0")
	client.do("POST", "/v2/nodes/%3Cscript%3E%0d%0a%1b/heartbeat", fullHeartbeat, "Content-Type",
		"application/json").expect(t, http.StatusNotFound)
	client.do("GET", "/v2/nodes", "", "X-Correlation-Id", "<script>")

	for _, path := range []string{
		"/v2/nodes", "/__mock", "/__mock/nodes", "/__mock/journal?limit=1000",
		"/__mock/drift", "/metrics",
	} {
		got := client.fetch(path)
		if got.StatusCode != http.StatusOK || strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: status %d, content type %q", path, got.StatusCode, got.Header.Get("Content-Type"))
		}
		if bytes.ContainsAny(got.text, "\x1b\r") {
			t.Errorf("%s has control characters in it", path)
		}
	}
	for line := range strings.Lines(log.String()) {
		if !strings.HasPrefix(line, "time=") || strings.ContainsAny(line, "\x1b\r\u202e\u2028") {
			t.Errorf("log: %q", line)
		}
	}
}

// fetch asks for a path, be it of an operation or a page.
func (c *client) fetch(path string, headers ...string) answer {
	c.t.Helper()
	bare := *c
	bare.docs = nil
	return bare.do(http.MethodGet, path, "", headers...)
}
