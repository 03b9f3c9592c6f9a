package nodeapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// answering is a server that answers every request alike, and keeps the last one.
type answering struct {
	status      int
	contentType string
	body        string

	requestURI, contents string
	header               http.Header
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.requestURI, a.contents, a.header = r.Method+" "+r.RequestURI, string(body), r.Header
	w.Header().Set("Content-Type", a.contentType)
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func (a *answering) client(t *testing.T, below string) *nodeapi.ClientWithResponses {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	client, err := nodeapi.NewClientWithResponses(server.URL+below, nodeapi.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// An id is one segment of the path, whatever it holds.
func TestIDsInPaths(t *testing.T) {
	for _, test := range []struct{ below, id, want string }{
		{"", "gpu-node-1", "/v2/nodes/gpu-node-1"},
		{"/", "gpu-node-1", "/v2/nodes/gpu-node-1"},
		{"/base//", "gpu:node_1.a", "/base/v2/nodes/gpu:node_1.a"},
		{"/a%2Fb", "c", "/a%2Fb/v2/nodes/c"},
		{"", "a/b?c#d%e f", "/v2/nodes/a%2Fb%3Fc%23d%25e%20f"},
		{"", "{id}", "/v2/nodes/%7Bid%7D"},
		{"", "ü", "/v2/nodes/%C3%BC"},
		{"", "...", "/v2/nodes/..."},
	} {
		server := &answering{status: http.StatusNoContent}
		if _, err := server.client(t, test.below).DeregisterNodeWithResponse(t.Context(), test.id, nil); err != nil {
			t.Errorf("%q: %v", test.id, err)
		}
		if want := "DELETE " + test.want; server.requestURI != want {
			t.Errorf("%q: sent %s, want %s", test.id, server.requestURI, want)
		}
	}
	for _, id := range []string{"", ".", ".."} {
		server := &answering{status: http.StatusNoContent}
		if _, err := server.client(t, "").DeregisterNodeWithResponse(t.Context(), id, nil); err == nil ||
			server.requestURI != "" {
			t.Errorf("%q: sent %q, error %v", id, server.requestURI, err)
		}
	}
}

// A request carries its body as JSON, its parameters, and what the editors add, in turn.
func TestRequest(t *testing.T) {
	server := &answering{
		status: http.StatusOK, contentType: "application/json",
		body: `{"success":true,"next_heartbeat_ms":10000}`,
	}
	client := server.client(t, "")
	correlation := "4f1c9d2e"
	answer, err := client.HeartbeatNodeWithResponse(t.Context(), "gpu-node-1",
		&nodeapi.HeartbeatNodeParams{XCorrelationID: &correlation},
		nodeapi.HeartbeatRequest{Pools: []nodeapi.PoolStatus{}}, func(_ context.Context, r *http.Request) error {
			r.Header.Set("X-Seen", r.Header.Get("X-Correlation-Id"))
			return nil
		})
	if err != nil || answer.JSON200 == nil || answer.JSON200.NextHeartbeatMs != 10000 || answer.Problem != nil {
		t.Fatalf("%+v, %v", answer, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Correlation-Id": correlation,
		"X-Seen": correlation,
	} {
		if got := server.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if want := `{"pools":[],"timestamp":"0001-01-01T00:00:00Z"}`; server.contents != want {
		t.Errorf("sent %s, want %s", server.contents, want)
	}

	server.requestURI = ""
	stop := errors.New("no")
	_, err = client.ListNodes(t.Context(), nil, func(context.Context, *http.Request) error { return stop })
	if !errors.Is(err, stop) || server.requestURI != "" {
		t.Errorf("an editor that fails: sent %q, error %v", server.requestURI, err)
	}
}

// What went wrong is read where the answer says it as the document does, and is no reason
// to fail where it does not.
func TestProblem(t *testing.T) {
	const problem = "application/problem+json"
	for _, test := range []struct {
		status                  int
		contentType, body, want string
	}{
		{422, problem, `{"code":"contract_violation"}`, "contract_violation"},
		{404, problem + "; charset=utf-8", `{"code":"unknown_node"}`, "unknown_node"},
		{418, problem, `{"code":"not_found"}`, "not_found"},
		{404, "application/json", `{"success":false,"next_heartbeat_ms":10000}`, ""},
		{404, problem, `<html>`, ""},
		{401, "", "", ""},
	} {
		server := &answering{status: test.status, contentType: test.contentType, body: test.body}
		answer, err := server.client(t, "").ListNodesWithResponse(t.Context(), nil)
		if err != nil || answer.StatusCode() != test.status || string(answer.Body) != test.body ||
			answer.JSON200 != nil {
			t.Errorf("%+v: %+v, %v", test, answer, err)
			continue
		}
		got := ""
		if answer.Problem != nil {
			got = string(answer.Problem.Code)
		}
		if got != test.want {
			t.Errorf("%+v: the problem is %q", test, got)
		}
	}
	server := &answering{status: http.StatusOK, contentType: "application/json", body: `{"nodes":`}
	if answer, err := server.client(t, "").ListNodesWithResponse(t.Context(), nil); err == nil {
		t.Errorf("half a list is read as %+v", answer)
	}
}

// A connection that is another protocol's by now is closed: it has no body that ends.
func TestSwitchingProtocols(t *testing.T) {
	closed := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_ = buffered.Flush()
		_, _ = connection.Read(make([]byte, 1))
		connection.Close()
		close(closed)
	}))
	defer server.Close()
	client, err := nodeapi.NewClientWithResponses(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := client.ListNodesWithResponse(t.Context(), nil); err == nil {
		t.Errorf("the answer is %+v", answer)
	}
	<-closed
}

func TestNewClientRefuses(t *testing.T) {
	for _, server := range []string{
		"", "orchestratord", "/v2", "http://", "http://host/?q", "http://host/#f",
		"http://:secret@host:port", "http://a b",
	} {
		if client, err := nodeapi.NewClientWithResponses(server); err == nil || client != nil ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, %v", server, client, err)
		}
	}
}

func TestNoHTTPClientMeansThePlainOne(t *testing.T) {
	server := httptest.NewServer(&answering{status: http.StatusOK, contentType: "text/plain"})
	defer server.Close()
	client, err := nodeapi.NewClientWithResponses(server.URL, nodeapi.WithHTTPClient(nil))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := client.ListNodesWithResponse(t.Context(), nil); err != nil || answer.JSON200 != nil {
		t.Errorf("answer is %v, error %v", answer, err)
	}
}

// The generated functions declare what the document does.
func TestDeclaredStatuses(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	declares := map[string]func(int) bool{
		"listNodes":      nodeapi.ListNodesDeclares,
		"registerNode":   nodeapi.RegisterNodeDeclares,
		"heartbeatNode":  nodeapi.HeartbeatNodeDeclares,
		"deregisterNode": nodeapi.DeregisterNodeDeclares,
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range 600 {
				want := operation.Responses.Value(strconv.Itoa(status)) != nil
				if got := declares[operation.OperationID](status); got != want {
					t.Errorf("%s %s: %d is declared: %v, want %v", method, path, status, got, want)
				}
			}
		}
	}
}

type instant struct{}

func (instant) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// BenchmarkHeartbeat is what it takes to build and send a heartbeat, without the network.
func BenchmarkHeartbeat(b *testing.B) {
	client, err := nodeapi.NewClient("http://orchestratord:8080",
		nodeapi.WithHTTPClient(&http.Client{Transport: instant{}}))
	if err != nil {
		b.Fatal(err)
	}
	correlation := "4f1c9d2e"
	params := &nodeapi.HeartbeatNodeParams{XCorrelationID: &correlation}
	body := nodeapi.HeartbeatRequest{Pools: []nodeapi.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.HeartbeatNode(b.Context(), "gpu-node-1", params, body); err != nil {
			b.Fatal(err)
		}
	}
}

// A redirect is an answer: whoever it leads to gets no request, and no token.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent there, with %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	authorize := nodeapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer secret")
		return nil
	})
	for name, options := range map[string][]nodeapi.ClientOption{
		"of its own": {authorize}, "given": {authorize, nodeapi.WithHTTPClient(server.Client())},
	} {
		client, err := nodeapi.NewClient(server.URL, options...)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.ListNodes(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("an HTTP client %s is answered %d, want 307", name, answer.StatusCode)
		}
	}
}
