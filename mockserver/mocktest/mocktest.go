// Package mocktest gives a Go test an orchestratord in one line:
//
//	func TestNode(t *testing.T) {
//		orchestratord := mocktest.Start(t)
//		node := startNode(orchestratord.URL)
//		...
//	}
//
// Tests in a testing/synctest bubble, where time is not real, cannot wait for sockets.
// There, Transport takes requests to a server in memory.
package mocktest

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

// Server is a mock orchestratord that listens on the loopback interface.
type Server struct {
	*mockserver.Server
	URL string // without a trailing slash
}

// Start returns a mock orchestratord that serves until the test ends. It logs to the
// test's output, unless the options say otherwise.
func Start(t testing.TB, options ...mockserver.Option) *Server {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	mock, err := mockserver.New(append([]mockserver.Option{mockserver.WithLogger(log)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	listener := httptest.NewServer(mock)
	t.Cleanup(listener.Close)
	return &Server{Server: mock, URL: listener.URL}
}
