package mockserver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// TestPresets_heavy has real nodes live through five minutes of each preset. When it is
// switched off they are online again before long, and they leave in peace.
func TestPresets_heavy(t *testing.T) {
	for name := range faults.Presets() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock, leave := livingNodes(t)
				if _, known := mock.Faults().Switch(name, true); !known {
					t.Error("there is no such preset")
				}
				time.Sleep(race.Share(t, 5*time.Minute, time.Minute))
				if state, _ := mock.Faults().Switch(name, false); state.Applied == 0 {
					t.Error("it did nothing")
				}
				// A node whose token was refused at the very last asks again within a minute,
				// and its first heartbeat comes within half an interval of that.
				patience := time.Minute + registration.DefaultHeartbeatInterval
				if name == "clock-step" || name == "sticky-offline" { // a node learns nothing of these
					patience = 2 * registration.DefaultRegisterEvery
				}
				time.Sleep(patience)
				wantOnline(t, mock)
				leave()
				if left := mock.Nodes(); len(left) > 0 {
					t.Errorf("still there: %+v", left)
				}
			})
		})
	}
}

// newNode returns a node that reaches a server in memory.
func newNode(t *testing.T, mock *mockserver.Server, id string) *registration.Node {
	t.Helper()
	node, err := registration.New(registration.Config{
		NodeID:           id,
		MachineID:        "machine-alpha",
		Address:          "http://192.168.1.100:9200",
		OrchestratordURL: "http://orchestratord",
		Pools:            []string{"pool-0"},
		Capabilities:     registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		APIToken:         registration.StaticToken("secret"),
		HTTPClient:       &http.Client{Transport: mocktest.Transport(mock)},
		Logger:           slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return node
}

func ready(context.Context) ([]registration.PoolStatus, error) {
	return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
}

// TestNodesAreWrittenOff_heavy has nodes live with the presets that mark them Offline without a word.
// Their heartbeats are taken all the while. They are back once they register again, as they do
// from time to time.
func TestNodesAreWrittenOff_heavy(t *testing.T) {
	race.Skip(t)
	for _, dialect := range []mockserver.Dialect{mockserver.Document, mockserver.InService} {
		for _, preset := range []string{"clock-step", "sticky-offline"} {
			t.Run(fmt.Sprint(preset, " ", dialect), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					mock, stop := livingNodes(t, mockserver.WithDialect(dialect))
					defer stop()
					mock.Faults().Switch(preset, true)
					time.Sleep(time.Minute)
					if state, _ := mock.Faults().Switch(preset, false); state.Applied == 0 {
						t.Error("the fault did not act")
					}
					time.Sleep(registration.DefaultHeartbeatInterval)
					for _, node := range mock.Nodes() {
						silent := time.Since(node.LastHeartbeat)
						if node.Status != nodeapi.NodeStatusOffline || silent > registration.DefaultHeartbeatInterval {
							t.Errorf("%s is %s, %s after its heartbeat", node.Registration.NodeID, node.Status, silent)
						}
					}
					time.Sleep(2 * registration.DefaultRegisterEvery)
					wantOnline(t, mock)
				})
			})
		}
	}
}

// TestRouterAnswersNodes has nodes meet a router that answers 404 in its own words.
func TestRouterAnswersNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, stop := livingNodes(t)
		defer stop()
		mock.Faults().Switch("router-404", true)
		time.Sleep(10 * time.Minute)
		mock.Faults().Switch("router-404", false)
		seen := 0
		for _, entry := range mock.Journal().Page(journal.Filter{}, 1000).Entries {
			if entry.Fault == nil {
				continue
			}
			seen++
			answer, header := entry.Answer, fmt.Sprint(*entry.Answer.Header)
			if *answer.Status != 404 || answer.Body.Text != "404 page not found" ||
				!strings.Contains(header, "text/plain") || strings.Contains(header, "Correlation") {
				t.Errorf("answered %d %v with %s", *answer.Status, answer.Body, header)
			}
		}
		if seen < 10 {
			t.Errorf("the router answered %d times", seen)
		}
		time.Sleep(time.Minute)
		wantOnline(t, mock)
	})
}

// livingNodes starts three nodes and a mock that they are online at. What it returns stops them.
func livingNodes(t *testing.T, options ...mockserver.Option) (*mockserver.Server, func()) {
	t.Helper()
	mock, err := mockserver.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	var nodes sync.WaitGroup
	for n := range 3 {
		node := newNode(t, mock, fmt.Sprint("gpu-node-", n+1))
		nodes.Go(func() {
			if err := node.Run(ctx, ready); err != nil {
				t.Errorf("node %d: %v", n+1, err)
			}
		})
	}
	time.Sleep(time.Minute)
	wantOnline(t, mock)
	return mock, func() {
		leave()
		nodes.Wait()
		mock.Close()
	}
}

func wantOnline(t *testing.T, mock *mockserver.Server) {
	t.Helper()
	if nodes := mock.Nodes(); len(nodes) != 3 {
		t.Errorf("%d nodes are on record", len(nodes))
	}
	for _, node := range mock.Nodes() {
		if node.Status != nodeapi.NodeStatusOnline {
			t.Errorf("%s is %s", node.Registration.NodeID, node.Status)
		}
	}
}

// TestConnectionsEnd has a node call again and again where no connection takes a second request.
// No call fails, since the node repeats what was not answered on another connection.
func TestConnectionsEnd(t *testing.T) {
	for preset, http2 := range map[string][]bool{"idle-close": {false, true}, "goaway": {false, true}} {
		for _, http2 := range http2 {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", preset, http2), func(t *testing.T) {
				mock, err := mockserver.New()
				if err != nil {
					t.Fatal(err)
				}
				mock.Faults().Switch(preset, true)
				var connections, failed atomic.Int64
				server := httptest.NewUnstartedServer(mock)
				server.EnableHTTP2 = http2
				server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
					if state == http.StateNew {
						connections.Add(1)
					}
				}
				server.StartTLS()
				defer server.Close()
				defer mock.Close()
				node, err := registration.New(registration.Config{
					NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://127.0.0.1:9200",
					Pools:            []string{},
					OrchestratordURL: server.URL, HTTPClient: server.Client(), Logger: slog.New(slog.DiscardHandler),
					OnEvent: func(e registration.Event) {
						if e.Type == registration.EventFailed {
							failed.Add(1)
						}
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				calls := int64(0)
				// in HTTP/2 a call may overtake the word that its connection ends
				for connections.Load() < 4 && calls < 1000 {
					if err := node.Register(t.Context()); err != nil {
						t.Fatal(err)
					}
					calls++
				}
				if failed.Load() > 0 || connections.Load() < 4 || !http2 && connections.Load() != calls {
					t.Errorf("%d calls failed of %d, on %d connections", failed.Load(), calls, connections.Load())
				}
			})
		}
	}
}

// TestAnIdleConnectionEndsWithTheNextRequest leaves a connection idle for an hour.
func TestAnIdleConnectionEndsWithTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New()
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		mock.Faults().Switch("idle-close", true)
		node, served := net.Pipe()
		server := &http.Server{Handler: mock}
		defer server.Close()
		connections := make(pipes, 1)
		connections <- served
		go server.Serve(connections)

		if _, err := io.WriteString(node, "GET /v2/nodes HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(node), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(answer.Body); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := node.Read(make([]byte, 1))
			ended <- err
		}()
		time.Sleep(time.Hour)
		if len(ended) > 0 {
			t.Fatalf("the connection ended while it was idle: %v", <-ended)
		}
		if _, err := io.WriteString(node, "G"); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != io.EOF {
			t.Errorf("the next request met %v", err)
		}
	})
}

// pipes is a listener for connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if connection, ok := <-p; ok {
		return connection, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error { close(p); return nil }

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }
