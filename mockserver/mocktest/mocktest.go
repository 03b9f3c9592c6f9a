// Package mocktest gives a Go test an orchestratord in one line, and words to say what
// should happen to it:
//
//	func TestNode(t *testing.T) {
//		orchestratord := mocktest.Start(t)
//		startNode(t, orchestratord.URL)
//		orchestratord.Expect(t, mocktest.AtLeast(3, mocktest.Heartbeats).
//			From("gpu-node-1").WithPool("pool-0", mocktest.Ready).Within(5*time.Second))
//
//		orchestratord.SwitchOn(t, "outage")
//		orchestratord.Clock().Advance(time.Minute)
//		orchestratord.ExpectStatus(t, "gpu-node-1", nodeapi.NodeStatusOffline)
//	}
//
// Tests in a testing/synctest bubble, where time is not real, cannot wait for sockets.
// There, InMemory and Transport take requests to a server in memory.
package mocktest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// Server is a mock orchestratord that serves as long as a test.
type Server struct {
	*mockserver.Server
	URL string // without a trailing slash
}

// Start returns a mock orchestratord that listens on the loopback interface until the
// test ends. It logs to the test's output, unless the options say otherwise.
func Start(t testing.TB, options ...mockserver.Option) *Server {
	t.Helper()
	server := InMemory(t, options...)
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close() // first, as the listener waits for requests that a fault keeps waiting
		listener.Close()
	})
	server.URL = listener.URL
	return server
}

// InMemory is like Start for a test in a bubble: the server listens nowhere, and is
// reached at its URL through Client.
func InMemory(t testing.TB, options ...mockserver.Option) *Server {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	mock, err := mockserver.New(append([]mockserver.Option{mockserver.WithLogger(log)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	return &Server{Server: mock, URL: "http://localhost"}
}

// Client returns an HTTP client that sends every request to the server in memory, whatever its URL.
func (s *Server) Client() *http.Client {
	return &http.Client{Transport: Transport(s.Server)}
}

// Control returns a client of the server's control API, in memory. A server with a
// control token requires it.
func (s *Server) Control(token ...string) *control.ClientWithResponses {
	authenticate := func(_ context.Context, r *http.Request) error {
		for _, token := range token {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
	client, err := control.NewClientWithResponses("http://localhost",
		control.WithHTTPClient(s.Client()), control.WithRequestEditorFn(authenticate))
	if err != nil {
		panic(err) // there is nothing in it that can fail
	}
	return client
}
