package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// memory is a listener in memory, for which time need not be real.
type memory struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (m memory) Accept() (net.Conn, error) {
	select {
	case connection := <-m.connections:
		return connection, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m memory) Close() error { close(m.closed); return nil }

func (m memory) Addr() net.Addr { return &net.TCPAddr{} }

func (m memory) dial() net.Conn {
	ours, theirs := net.Pipe()
	m.connections <- theirs
	return ours
}

// serveInMemory serves until the function is called that it returns, which returns when
// the server has ended.
func serveInMemory(t *testing.T, handler http.HandlerFunc, s ...settings) (m memory, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	m = memory{make(chan net.Conn), make(chan struct{})}
	ended := make(chan error)
	go func() { ended <- serveOn(ctx, m, newServer(ctx, append(s, settings{})[0], nil, handler, log), log) }()
	return m, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestSlowHeaders sends a header a byte at a time, for ever.
func TestSlowHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, stop := serveInMemory(t,
			func(http.ResponseWriter, *http.Request) { t.Error("it was taken for a request") })
		connection := memory.dial()
		begin := time.Now()
		io.WriteString(connection, "GET / HTTP/1.1\r\nHost: mock\r\nX-Slow: ")
		var trickle sync.WaitGroup
		trickle.Go(func() {
			for {
				if _, err := io.WriteString(connection, "x"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		answer, err := io.ReadAll(connection)
		if passed := time.Since(begin); err != nil || passed != readTimeout {
			t.Errorf("cut after %s with %q, %v", passed, answer, err)
		}
		trickle.Wait()
		stop()
	})
}

// TestSlowBody sends the body of a registration a byte at a time. There is no answer that
// a node could take for final.
func TestSlowBody(t *testing.T) {
	for name, test := range map[string]struct {
		begun string // what of the body comes at once
		fault bool   // whether the server reads the body ahead
		cut   time.Duration
	}{
		"short":            {"", false, readTimeout},
		"long":             {strings.Repeat(" ", 100_000), false, 5 * time.Second},
		"long, with fault": {strings.Repeat(" ", 100_000), true, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) { testSlowBody(t, test.begun, test.fault, test.cut) })
	}
}

func testSlowBody(t *testing.T, begun string, fault bool, cut time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		mock, err := mockserver.New(mockserver.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		if fault {
			mock.Faults().Switch("flaky", true)
		}
		memory, stop := serveInMemory(t, mock.ServeHTTP)
		connection := memory.dial()
		begin := time.Now()
		io.WriteString(connection,
			"POST /v2/nodes/register HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\nContent-Length: "+
				"200000\r\n\r\n"+begun)
		var trickle sync.WaitGroup
		trickle.Go(func() {
			for {
				if _, err := io.WriteString(connection, " "); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		answer, err := io.ReadAll(connection)
		if passed := time.Since(begin); err != nil || len(answer) > 0 || passed != cut {
			t.Errorf("cut after %s with %q, %v", passed, answer, err)
		}
		trickle.Wait()
		stop()
		if !strings.Contains(log.String(), "too slow") {
			t.Errorf("the log says nothing of it: %s", log.String())
		}
	})
}

func TestLongHeaders(t *testing.T) {
	program := start(t, nil, "--log-level", "error")
	for length, want := range map[int]int{
		headerLimit / 2: http.StatusOK,
		headerLimit * 2: http.StatusRequestHeaderFieldsTooLarge,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, program.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Long", strings.Repeat("x", length))
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%d bytes: status %d, want %d", length, response.StatusCode, want)
		}
	}
}

// TestErrorsOfConnections sends what is no TLS to a program that serves it. Its log has that in its own format.
func TestErrorsOfConnections(t *testing.T) {
	program := start(t, nil, "--tls-dev", "--tls-dir", private(t), "--log-format", "json")
	answer, err := http.Get(strings.Replace(program.url, "https", "http", 1) + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	_, _, stderr := program.stop()
	var line struct{ Level, Msg string }
	if err := json.Unmarshal([]byte(stderr), &line); err != nil || line.Level != "WARN" ||
		!strings.Contains(line.Msg, "TLS handshake error") {
		t.Errorf("logged %q (%v), want a warning of the handshake", stderr, err)
	}
}

// TestOptionsOfTheServer asks for the options of the server as a whole, which net/http would answer
// by itself: it is drift as well, and the answer is the mock's.
func TestOptionsOfTheServer(t *testing.T) {
	program := start(t, nil, "--fail-on-drift", "--log-level", "error")
	conn, err := net.Dial("tcp", strings.TrimPrefix(program.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("status %d, header %v", answer.StatusCode, answer.Header)
	}
	if status, stdout, stderr := program.stop(); status != 3 || !strings.Contains(stdout+stderr, `"OPTIONS *"`) {
		t.Errorf("exit status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// TestKeptConnections has a node beat over one connection, however seldom it is asked to.
func TestKeptConnections(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			memory, stop := serveInMemory(t, func(http.ResponseWriter, *http.Request) {},
				settings{heartbeatInterval: interval})
			defer stop()
			connection := memory.dial()
			defer connection.Close()
			answers := bufio.NewReader(connection)
			for beat := range 3 {
				_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: mock\r\n\r\n")
				if _, err := http.ReadResponse(answers, nil); err != nil {
					t.Fatalf("heartbeat %d, one every %s: %v", beat, interval, err)
				}
				time.Sleep(interval)
			}
		})
	}
}

// TestStream has a handler stream for an hour, as long as the server runs. Then it ends
// at once.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, stop := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			controller := http.NewResponseController(w)
			for {
				io.WriteString(w, "x")
				controller.Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Minute):
				}
			}
		})
		connection := memory.dial()
		begin := time.Now()
		go io.WriteString(connection, "GET / HTTP/1.1\r\nHost: mock\r\n\r\n")
		ended := make(chan struct{})
		time.AfterFunc(time.Hour+time.Second, func() { stop(); close(ended) })
		answer, _ := io.ReadAll(connection)
		if passed := time.Since(begin); passed != time.Hour+time.Second ||
			bytes.Count(answer, []byte("1\r\nx\r\n")) != 61 {
			t.Errorf("it ended after %s with %q", passed, answer)
		}
		<-ended
	})
}

// TestGraceOfTheShutdown ends the server in the middle of a request. It has the grace to be answered,
// and is cut off after that.
func TestGraceOfTheShutdown(t *testing.T) {
	for takes, status := range map[time.Duration]string{
		shutdownGrace / 2: "HTTP/1.1 204 No Content", 2 * shutdownGrace: "",
	} {
		synctest.Test(t, func(t *testing.T) {
			memory, stop := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(takes)
				w.WriteHeader(http.StatusNoContent)
			})
			connection := memory.dial()
			defer connection.Close()
			answered := make(chan string, 1)
			go func() {
				line, _ := bufio.NewReader(connection).ReadString('\r')
				answered <- strings.TrimSpace(line)
			}()
			_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: mock\r\n\r\n")
			synctest.Wait()
			begin := time.Now()
			stop()
			if passed := time.Since(begin); passed < min(takes, shutdownGrace) || passed > shutdownGrace {
				t.Errorf("with a request that takes %s, the server ends after %s", takes, passed)
			}
			if answer := <-answered; answer != status {
				t.Errorf("a request that takes %s is answered %q, want %q", takes, answer, status)
			}
			time.Sleep(takes) // the handler does not notice that it is cut off
		})
	}
}

// TestSlowWriter pauses within a body. A request on a slow line has half a minute.
func TestSlowWriter(t *testing.T) {
	for pause, want := range map[time.Duration]int{
		29 * time.Second: http.StatusOK, 31 * time.Second: http.StatusRequestTimeout,
	} {
		synctest.Test(t, func(t *testing.T) {
			memory, stop := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
					w.WriteHeader(http.StatusRequestTimeout)
				}
			})
			defer stop()
			connection := memory.dial()
			defer connection.Close()
			go io.WriteString(connection, "POST / HTTP/1.1\r\nHost: mock\r\nContent-Length: 2\r\n\r\n{")
			time.AfterFunc(pause, func() { _, _ = io.WriteString(connection, "}") })
			answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil || answer.StatusCode != want {
				t.Errorf("with a pause of %s: %v, error %v, want status %d", pause, answer, err, want)
			}
		})
	}
}

// TestSlowReader reads a long list with pauses. However long it takes in all, the client
// gets the whole of it; one that does not read on is let go.
func TestSlowReader(t *testing.T) {
	for _, test := range []struct {
		pause   time.Duration // after every 8 KiB
		inFront bool
		whole   bool
	}{
		{4 * time.Second, false, true},
		{20 * time.Second, false, false},
		{4 * time.Second, true, true},
		{20 * time.Second, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			mock, err := mockserver.New(mockserver.WithNodeTimeout(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			defer mock.Close()
			for i := range 500 {
				body := fmt.Sprintf(`{"node_id": "node-%d", "machine_id": "m", "address": "http://127.0.0.1:9200",
					"pools": [], "capabilities": {"gpu_count": 1, "total_vram_mb": 1, "cuda_version": ""}}`, i)
				r := httptest.NewRequest(http.MethodPost, "/v2/nodes/register", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				mock.ServeHTTP(httptest.NewRecorder(), r)
			}
			served := mock
			if test.inFront {
				served = inFrontOf(t, mock)
			}
			memory, stop := serveInMemory(t, served.ServeHTTP)
			defer stop()
			connection := memory.dial()
			defer connection.Close()
			go io.WriteString(connection, "GET /v2/nodes HTTP/1.1\r\nHost: mock\r\n\r\n")
			begin := time.Now()
			answer, err := http.ReadResponse(bufio.NewReader(&slowReader{Reader: connection, pause: test.pause}), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			list, err := io.ReadAll(answer.Body)
			if whole := err == nil; whole != test.whole {
				t.Errorf("pausing for %s: after %s there are %d bytes, and %v", test.pause, time.Since(begin),
					len(list), err)
			}
		})
	}
}

// slowReader pauses after every 8 KiB.
type slowReader struct {
	io.Reader
	pause time.Duration
	read  int
}

func (s *slowReader) Read(buffer []byte) (int, error) {
	if s.read >= 8<<10 {
		time.Sleep(s.pause)
		s.read = 0
	}
	n, err := s.Reader.Read(buffer)
	s.read += n
	return n, err
}
