package mockserver_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
)

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
	for i, line := range strings.Split(err.Error(), "\n") {
		if i >= len(bad) || !strings.HasPrefix(line, `origin "`+bad[i]+`": must be scheme://host`) {
			t.Errorf("line %d is %s", i, line)
		}
	}
}
