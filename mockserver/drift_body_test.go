package mockserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestUndueBodies sends a body, with its length and in chunks, wherever the document has none.
func TestUndueBodies(t *testing.T) {
	for _, request := range []struct{ method, path, at string }{
		{"GET", "/v2/nodes", "listNodes"}, {"DELETE", "/v2/nodes/gpu-node-1", "deregisterNode"},
	} {
		for body, want := range map[io.Reader][]string{
			strings.NewReader("{}"):                 {request.at + ` at "": must have no body (got one)`},
			io.MultiReader(strings.NewReader("{}")): {request.at + ` at "": must have no body (got one)`},
			http.NoBody:                             {},
		} {
			server := mocktest.InMemory(t)
			server.ServeHTTP(httptest.NewRecorder(),
				httptest.NewRequest(request.method, "http://localhost"+request.path, body))
			if diff := cmp.Diff(want, drifted(server)); diff != "" {
				t.Errorf("%s of a %T (-want +got):\n%s", request.at, body, diff)
			}
		}
	}
}

// TestARequestThatIsTooSlow has the connection cut while the body is read. The departures so far are noted.
func TestARequestThatIsTooSlow(t *testing.T) {
	log := newLog()
	server := mocktest.InMemory(t, mockserver.WithLogger(log.logger))
	request := httptest.NewRequest(http.MethodPost, "http://localhost/v2/nodes/register?fast=1",
		io.MultiReader(strings.NewReader("{}"), iotest.ErrReader(os.ErrDeadlineExceeded)))
	request.Header.Set("Content-Type", "application/json")
	func() {
		defer func() {
			if cut := recover(); cut != http.ErrAbortHandler {
				t.Errorf("the connection is cut by %v", cut)
			}
		}()
		server.ServeHTTP(httptest.NewRecorder(), request)
	}()
	if slow := log.entries("request body too slow: connection cut"); len(slow) != 1 ||
		slow[0].attrs["bytes_arrived"] != "2" {
		t.Errorf("logged %v, want that 2 bytes arrived", slow)
	}
	want := []string{`registerNode at "?fast": must be a parameter that the contract names (got "fast")`}
	if diff := cmp.Diff(want, drifted(server)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

// TestCompressedBodies says why a compressed body is refused, by both APIs, and why one of another type is.
func TestCompressedBodies(t *testing.T) {
	client, _ := start(t)
	for method, path := range map[string]string{"POST": "/v2/nodes/register", "PATCH": "/__mock/settings"} {
		got := client.do(method, path, "{}", "Content-Type", "application/json", "Content-Encoding", "gzip").expect(t,
			http.StatusUnsupportedMediaType)
		const want = `content encoding "gzip" is not supported: send the body as it is, without one`
		if p := got.problem(t); p.Detail != want || got.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%s: %q, Accept-Encoding %q", path, p.Detail, got.Header.Get("Accept-Encoding"))
		}
		other := client.do(method, path, "{}", "Content-Type", "text/plain").expect(t, http.StatusUnsupportedMediaType)
		const wantOther = `content type "text/plain" is not supported: send application/json`
		if p := other.problem(t); p.Detail != wantOther || other.Header["Accept-Encoding"] != nil {
			t.Errorf("%s: %q, Accept-Encoding %q", path, p.Detail, other.Header["Accept-Encoding"])
		}
	}
}
