package mockserver_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestBrowsers_heavy calls what needs no token as programs do, by any name, and as browsers do for
// pages that are open in them.
func TestBrowsers_heavy(t *testing.T) {
	race.Skip(t)
	const stray, rebound = "http://stray.example", "rebound.example:8080"
	site := func(site string, more ...string) []string { return append([]string{"Sec-Fetch-Site", site}, more...) }
	browser := []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Accept-Language", "en"}
	tool := []mockserver.Option{mockserver.WithCORS("http://tool.example")}
	for _, test := range []struct {
		name    string
		options []mockserver.Option
		host    string
		header  []string
		allowed bool
	}{
		{name: "program", allowed: true},
		{name: "program, name of a service", host: "orchestratord", allowed: true},
		{name: "program, another name", host: "mock.cluster.local:8080", allowed: true},
		{
			name: "Node.js", host: "orchestratord:8080",
			header: []string{"Sec-Fetch-Mode", "cors", "Accept-Language", "*", "User-Agent", "node"}, allowed: true,
		},
		{
			name: "program that poses as a browser", host: "orchestratord",
			header: []string{"User-Agent", "Mozilla/5.0 PowerShell/7.5"}, allowed: true,
		},
		{
			name: "proxy", host: "orchestratord",
			header: []string{"X-Forwarded-Host", "other.example", "Via", "1.1 proxy"}, allowed: true,
		},

		{name: "own page", host: "localhost:8080", header: site("same-origin"), allowed: true},
		{
			name: "own page that writes", host: "127.0.0.1", header: site("same-origin", "Origin", "http://127.0.0.1"),
			allowed: true,
		},
		{
			name: "typed by hand", host: "192.168.1.1:8080",
			header: site("none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"), allowed: true,
		},
		{name: "old browser, address", host: "192.168.1.1:8080", header: browser, allowed: true},
		{
			name:    "own page under a given name",
			options: []mockserver.Option{mockserver.WithControlHosts("mock.example")}, host: "mock.example",
			header: site("same-origin"), allowed: true,
		},

		{name: "rebound page", host: rebound, header: site("same-origin", "Sec-Fetch-Mode", "cors")},
		{name: "rebound page that writes", host: rebound, header: []string{"Origin", "http://" + rebound}},
		{name: "rebound page without TLS", host: rebound, header: browser},
		{
			name: "rebound page that opens another", host: rebound,
			header: []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"},
		},
		{
			name: "rebound page behind a proxy that removes the site", host: rebound,
			header: []string{"Sec-Fetch-Mode", "no-cors"},
		},
		{name: "foreign page", header: site("cross-site", "Origin", stray)},
		{name: "foreign page in an old browser", header: append([]string{"Origin", stray}, browser...)},
		{name: "foreign page without an origin", header: []string{"Origin", "null"}},
		{
			name:   "picture in a foreign page",
			header: site("cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"),
		},
		{name: "page of another port", header: site("same-site")},

		{
			name: "page that may", options: tool, header: site("cross-site", "Origin", "http://tool.example"),
			allowed: true,
		},
		{
			name: "page that may, by another name", options: tool, host: "orchestratord",
			header: []string{"Origin", "http://tool.example"}, allowed: true,
		},
		{name: "page that may not", options: tool, header: site("cross-site", "Origin", stray)},
		{
			name: "any page", options: []mockserver.Option{mockserver.WithCORS("*")}, host: "orchestratord",
			header: site("cross-site", "Origin", stray), allowed: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := start(t, test.options...)
			client.docs = nil // the document has nothing to say about browsers
			client.register(briefRegistration).expect(t, http.StatusOK)
			for _, call := range []struct {
				method, path, body string
				status             int
			}{
				{"GET", "/v2/nodes", "", 200},
				{"GET", "/metrics", "", 200},
				{"POST", "/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat, 200},
				{"DELETE", "/v2/nodes/gpu-node-1", "", 204},
			} {
				request := client.request(call.method, call.path, call.body, "Content-Type", "application/json")
				for i := 0; i < len(test.header); i += 2 {
					request.Header.Set(test.header[i], test.header[i+1])
				}
				if test.host != "" {
					request.Host = test.host
				}
				if !test.allowed {
					call.status = http.StatusForbidden
				}
				if got := client.send(request).expect(t, call.status); !test.allowed &&
					got.problem(t).Code != "forbidden" {
					t.Errorf("%s: %s", call.path, got.text)
				}
			}
			if got := len(server.Nodes()); (got == 0) != test.allowed {
				t.Errorf("%d nodes are left", got)
			}
			if got := drifted(server); len(got) > 0 {
				t.Errorf("drift: %v", got)
			}
		})
	}
}

// TestBrowsersWithTokens calls by a name that may be rebound: to a page that has a token it
// is none, and the metrics are for anybody. A page of another site may not use one.
func TestBrowsersWithTokens(t *testing.T) {
	client, _ := start(t, mockserver.WithTokens("secret"))
	client.docs = nil
	for path, status := range map[string]int{"/v2/nodes": http.StatusOK, "/metrics": http.StatusForbidden} {
		request := client.request("GET", path, "", "Authorization", "Bearer secret", "Sec-Fetch-Site", "same-origin")
		request.Host = "mock.example"
		client.send(request).expect(t, status)
	}
	client.do("GET", "/v2/nodes", "", "Authorization", "Bearer secret", "Sec-Fetch-Site",
		"cross-site").expect(t, http.StatusForbidden)
}

// TestStrayPagesDoNotDrift sends what a stray page could to have a test of nodes fail.
func TestStrayPagesDoNotDrift(t *testing.T) {
	client, server := start(t)
	client.docs = nil
	for path, status := range map[string]int{
		"/v1/nodes": http.StatusNotFound, "/v2/nodes": http.StatusMethodNotAllowed,
		"/v2/nodes/register": http.StatusForbidden,
	} {
		client.do("POST", path, "", "Origin", "http://stray.example").expect(t, status)
	}
	if got := drifted(server); len(got) > 0 {
		t.Errorf("drift: %v", got)
	}
}

// TestStrayPagesDoNotPass has a stray page call orchestratord through the mock in front of it.
func TestStrayPagesDoNotPass(t *testing.T) {
	p := newPair(t, mockserver.Document)
	client := newClient(t, p.front.URL, mocktest.Transport(p.front.Server))
	client.docs = nil
	client.do("POST", "/v2/nodes/register", briefRegistration, "Content-Type", "application/json",
		"Origin", "http://stray.example").expect(t, http.StatusForbidden)
	p.orchestratord.Expect(t, mocktest.Exactly(0, mocktest.AllRequests))
	p.front.Expect(t, mocktest.Exactly(1, mocktest.AllRequests))
}

const preflight = "OPTIONS"

// TestCORS asks as browsers do for pages of other origins. What a page may do is what the
// headers say; a request without them is answered nevertheless.
func TestCORS(t *testing.T) {
	const tool, stranger, correlation = "http://localhost:5173", "https://stranger.example", "X-Correlation-Id"
	type sharing struct{ origin, methods, headers, exposed string }
	for _, test := range []struct {
		name         string
		origins      []string
		method, path string
		origin       string
		status       int
		want         sharing
	}{
		{"off", nil, "GET", "/v2/nodes", tool, 403, sharing{}},
		{"off, preflight", nil, preflight, "/v2/nodes", tool, 405, sharing{}},
		{
			"read",
			[]string{tool},
			"GET", "/v2/nodes", tool, 200,
			sharing{origin: tool, exposed: "X-Correlation-Id, Retry-After"},
		},
		{
			"a problem",
			[]string{tool},
			"DELETE", "/v2/nodes/nobody", tool, 404,
			sharing{origin: tool, exposed: "X-Correlation-Id, Retry-After"},
		},
		{
			"document",
			[]string{tool},
			"GET", "/openapi.json", tool, 200,
			sharing{origin: tool, exposed: "X-Correlation-Id, Retry-After"},
		},
		{
			"control API",
			[]string{tool},
			"GET", "/__mock/clock", tool, 200,
			sharing{origin: tool, exposed: "X-Correlation-Id, Retry-After"},
		},
		{
			"nothing",
			[]string{tool},
			"GET", "/nothing", tool, 404,
			sharing{origin: tool, exposed: "X-Correlation-Id, Retry-After"},
		},
		{
			"preflight",
			[]string{tool},
			preflight, "/v2/nodes/n", tool, 204,
			sharing{origin: tool, methods: "DELETE", headers: "authorization,content-type"},
		},
		{
			"one of several",
			[]string{"https://other.example", strings.ToUpper(tool)},
			"GET", "/v2/nodes", tool, 200,
			sharing{origin: tool, exposed: "X-Correlation-Id, Retry-After"},
		},
		{"a stranger", []string{tool}, "GET", "/v2/nodes", stranger, 403, sharing{}},
		{"a stranger's preflight", []string{tool}, preflight, "/v2/nodes/n", stranger, 204, sharing{}},
		{"one whose name is longer", []string{"http://localhost"}, "GET", "/v2/nodes", tool, 403, sharing{}},
		{
			"any",
			[]string{"*"},
			"GET", "/v2/nodes", stranger, 200,
			sharing{origin: "*", exposed: "X-Correlation-Id, Retry-After"},
		},
		{
			"any, preflight",
			[]string{"*"},
			preflight, "/v2/nodes/n", stranger, 204,
			sharing{origin: "*", methods: "DELETE", headers: "authorization,content-type"},
		},
		{"no origin", []string{tool}, "GET", "/v2/nodes", "", 200, sharing{}},
		{
			"other questions",
			[]string{tool},
			"PUT", "/v2/nodes", tool, 405,
			sharing{origin: tool, exposed: "X-Correlation-Id, Retry-After"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, _ := start(t, mockserver.WithCORS(test.origins...))
			request, err := http.NewRequestWithContext(t.Context(), test.method, client.url+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.origin != "" {
				request.Header.Set("Origin", test.origin)
			}
			if test.method == preflight {
				request.Header.Set("Access-Control-Request-Method", "DELETE")
				request.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
			}
			response, err := client.http.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			header := func(name string) string { return strings.Join(response.Header.Values(name), ", ") }
			got := sharing{
				header("Access-Control-Allow-Origin"), header("Access-Control-Allow-Methods"),
				header("Access-Control-Allow-Headers"), header("Access-Control-Expose-Headers"),
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(sharing{})); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if response.StatusCode != test.status || response.Header.Get(correlation) == "" {
				t.Errorf("status %d, want %d; correlation id %q", response.StatusCode, test.status,
					response.Header.Get(correlation))
			}
			if response.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("cookies are allowed")
			}
		})
	}
}

// TestEveryMethodIsShared asks as a browser does for a page that wants to make a call, of every operation.
func TestEveryMethodIsShared(t *testing.T) {
	const tool = "http://localhost:5173"
	client, _ := start(t, mockserver.WithCORS(tool))
	client.docs = nil // which have nothing to say about browsers
	for _, doc := range documents(t) {
		for path, item := range doc.Paths.Map() {
			for method := range item.Operations() {
				got := client.do(preflight, path, "", "Origin", tool, "Access-Control-Request-Method", method)
				if shared := got.Header.Get("Access-Control-Allow-Methods"); shared != method {
					t.Errorf("%s %s: allowed is %q", method, path, shared)
				}
			}
		}
	}
}

func TestBadOrigins(t *testing.T) {
	good := []string{"*", "http://localhost", "https://127.0.0.1:8080", "http://[::1]:5173", "HTTPS://Tools.Example"}
	if _, err := mockserver.New(mockserver.WithCORS(good...)); err != nil {
		t.Error(err)
	}
	bad := []string{
		"", "localhost", "localhost:5173", "//localhost", "http://", "http://localhost/", "http://localhost/tool",
		"http://localhost?", "http://localhost#",
		"http://user@localhost", "http://*.example", "null", "http://a b", "http://localhost:port",
	}
	_, err := mockserver.New(mockserver.WithCORS(bad...))
	if err == nil {
		t.Fatal("all were taken")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(bad) {
		t.Errorf("of %d origins %d are refused", len(bad), len(lines))
	}
	for i, line := range lines {
		if i >= len(bad) || !strings.HasPrefix(line, `origin "`+bad[i]+`": must be scheme://host`) {
			t.Errorf("line %d is %s", i, line)
		}
	}
}
