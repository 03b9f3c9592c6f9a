package mockserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// A request that hangs ends when its client gives up, or with the server.
func TestHang(t *testing.T) {
	for _, ended := range []string{"by the client", "by the server"} {
		t.Run(ended, func(t *testing.T) {
			acts := make(signal, 1)
			server := mocktest.Start(t, mockserver.WithLogger(slog.New(acts)), fault(t, "{effect: {connection: hang}}"))
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			failed := make(chan error, 1)
			go func() {
				_, err := post(t, ctx, server.URL)
				failed <- err
			}()
			<-acts
			if ended == "by the client" {
				giveUp()
			} else {
				server.Close()
			}
			if err := <-failed; err == nil || errors.Is(err, context.Canceled) != (ended == "by the client") {
				t.Errorf("error %v", err)
			}
			if nodes := server.Nodes(); len(nodes) > 0 {
				t.Errorf("nodes %v", nodes)
			}
		})
	}
}

// TestReset has connections of every kind reset, and the server answer on.
func TestReset(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("TLS and HTTP/%d", version), func(t *testing.T) {
			mock, err := mockserver.New(fault(t, "{match: {last_call: 1}, effect: {connection: reset_after}}"))
			if err != nil {
				t.Fatal(err)
			}
			listener := httptest.NewUnstartedServer(mock)
			listener.EnableHTTP2 = version == 2
			listener.StartTLS()
			t.Cleanup(listener.Close)
			t.Cleanup(mock.Close)
			client := newClient(t, listener.URL, listener.Client().Transport)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, listener.URL+
				"/v2/nodes/gpu-node-1", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.http.Do(request)
			if err == nil {
				response.Body.Close()
			}
			if err == nil || version == 1 && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("answer %v, error %v", response, err)
			}
			if got := client.deregister("gpu-node-1").expect(t, http.StatusNotFound); got.ProtoMajor != version {
				t.Errorf("HTTP/%d", got.ProtoMajor)
			}
		})
	}
}

// TestCloseBreaksOff closes a server whose faults keep requests waiting.
func TestCloseBreaksOff(t *testing.T) {
	for _, effect := range []string{
		"{latency_ms: 60000}", "{connection: hang}", "{body: trickle, trickle_ms: 60000}",
	} {
		t.Run(effect, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock, err := mockserver.New(fault(t, "{effect: "+effect+"}"))
				if err != nil {
					t.Fatal(err)
				}
				defer time.AfterFunc(time.Second, mock.Close).Stop()
				began := time.Now()
				_, err = postThrough(t, t.Context(), "http://orchestratord", mocktest.Transport(mock))
				if took := time.Since(began); !errors.Is(err, io.ErrUnexpectedEOF) || took != time.Second {
					t.Errorf("error %v after %s, want the connection to end after 1 s", err, took)
				}
			})
		})
	}
}

// TestCloseEndsExpectations closes a server that waits for what is expected. The answer says how far that was met.
func TestCloseEndsExpectations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := mocktest.InMemory(t)
		defer time.AfterFunc(time.Second, server.Close).Stop()
		began := time.Now()
		result := must(server.Control().CheckExpectationWithResponse(t.Context(), control.Expectation{
			AtLeast: new(int32(1)), WithinMs: new(time.Minute.Milliseconds()),
		}))
		if took := time.Since(began); took != time.Second || result.JSON200 == nil || result.JSON200.Met {
			t.Errorf("after %s, the answer is %s", took, result.Body)
		}
	})
}

// TestCloseEndsIdleConnections closes a server that waits for another request to break off.
func TestCloseEndsIdleConnections(t *testing.T) {
	server := mocktest.Start(t, fault(t, "{effect: {connection: close_idle}}"))
	connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Minute)) // so that an end that does not come fails the test
	_, _ = io.WriteString(connection, "GET /v2/nodes HTTP/1.1\r\nHost: localhost\r\n\r\n")
	lines := bufio.NewReader(connection)
	answer, err := http.ReadResponse(lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	server.Server.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("there is %q, %v", rest, err)
	}
}
