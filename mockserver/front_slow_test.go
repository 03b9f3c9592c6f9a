package mockserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestASlowOrchestratord has one answer after an hour, and take an hour for each piece. A fault that
// changes the head alone holds up none.
func TestASlowOrchestratord(t *testing.T) {
	t.Run("as it is", func(t *testing.T) { answerSlowly(t, false) })
	t.Run("before a fault", func(t *testing.T) { answerSlowly(t, true) })
}

func answerSlowly(t *testing.T, corrupt bool) {
	synctest.Test(t, func(t *testing.T) {
		pieces := []string{`{"nodes":[],`, `"count":0}`}
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for _, piece := range pieces {
					time.Sleep(time.Hour)
					_, _ = io.WriteString(w, piece)
				}
			})),
		}))
		if corrupt {
			front.Inject(t, "test", control.FaultDefinition{Rules: control.FaultRules{{
				Effect: control.FaultEffect{RetryAfterS: new(int32(7))},
			}}})
		}
		began := time.Now()
		answer, err := front.Client().Get(front.URL + "/v2/nodes")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		for i, piece := range pieces {
			got := make([]byte, len(piece))
			if _, err := io.ReadFull(answer.Body, got); err != nil || string(got) != piece {
				t.Errorf("piece %d is %q (%v), want %q", i, got, err, piece)
			}
			if took := time.Since(began); took != time.Duration(i+1)*time.Hour {
				t.Errorf("piece %d took %s, want an hour each", i, took)
			}
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		if took := *lastExchange(front).DurationUs; took != (2 * time.Hour).Microseconds() {
			t.Errorf("the journal says that it took %d µs, want two hours", took)
		}
	})
}

// TestASlowNode sends the pieces of a request in an hour each.
func TestASlowNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orchestratord := mocktest.InMemory(t)
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: orchestratord.URL, Transport: mocktest.Transport(orchestratord.Server),
		}))
		body, node := io.Pipe()
		go func() {
			for piece := range strings.SplitAfterSeq(briefRegistration, ",") {
				time.Sleep(time.Hour)
				_, _ = io.WriteString(node, piece)
			}
			_ = node.Close()
		}()
		answer, err := front.Client().Post(front.URL+"/v2/nodes/register", "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		for _, server := range []*mocktest.Server{orchestratord, front} {
			if node, _ := server.Node("gpu-node-1"); answer.StatusCode != http.StatusOK ||
				node.Registration.MachineID != "machine-alpha" {
				t.Errorf("answered %d, and the node is known as %+v", answer.StatusCode, node.Registration)
			}
		}
		front.Expect(t, mocktest.Exactly(1, mocktest.AllRequests))
	})
}

// TestALongRequestBeforeAFault sends the rest of a request once orchestratord has its beginning.
func TestALongRequestBeforeAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan struct{})
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.ReadFull(r.Body, make([]byte, 1))
				close(begun)
				rest, _ := io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/json")
				_, _ = fmt.Fprintf(w, "%d", rest+1)
			})),
		}))
		front.Inject(t, "test", control.FaultDefinition{Rules: control.FaultRules{{
			Effect: control.FaultEffect{RetryAfterS: new(int32(7))},
		}}})
		body, node := io.Pipe()
		go func() {
			_, _ = io.WriteString(node, strings.Repeat(" ", 70_000))
			<-begun
			_, _ = io.WriteString(node, strings.Repeat(" ", 70_000))
			_ = node.Close()
		}()
		p := &pair{t: t, front: front}
		answer, err := front.Client().Post(p.front.URL+"/v2/nodes/register", "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if text, _ := io.ReadAll(answer.Body); string(text) != "140000" || answer.Header.Get("Retry-After") != "7" {
			t.Errorf("orchestratord got %s bytes, and the head is %v", text, answer.Header)
		}
	})
}

// TestAnAnswerBeforeTheEndOfTheRequest has an orchestratord refuse what it has only seen the beginning of.
// The client has that before it sends the rest, which nobody reads.
func TestAnAnswerBeforeTheEndOfTheRequest(t *testing.T) {
	t.Parallel()
	stated := "Content-Length: 200000\r\n\r\n" + strings.Repeat(" ", 100_000) // faults look at the first 64 KiB
	chunked := "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
	empty := control.FaultEffect{Body: new(control.FaultEffectBodyEmpty)}
	for name, test := range map[string]struct {
		framing string
		fault   control.FaultRules
		want    string
	}{
		"of a stated length": {stated, nil, "too big"},
		"in chunks":          {chunked, nil, "too big"},
		"before a fault":     {stated, control.FaultRules{{Effect: empty}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := inFront(t, hasty(t))
			if test.fault != nil {
				front.Inject(t, "test", control.FaultDefinition{Rules: test.fault})
			}
			got := exchangeRaw(t, front, "POST /v2/nodes/gpu-node-1/heartbeat HTTP/1.1\r\nHost: h\r\n"+
				"Content-Type: application/json\r\n"+test.framing)
			if answer := readAnswer(t, got); answer.Code != 413 || answer.Body != test.want {
				t.Errorf("the client got %q", got)
			}
			expectDrift(t, "nodes", front.Drift(), "")
			front.Expect(t, mocktest.Exactly(1, mocktest.AllRequests))
		})
	}
}

// TestAnAnswerToAClientThatSendsOn has a client send on after the answer to half of its request. Its connection
// is not reset for that at once, since it may not have read the answer yet (RFC 9112, 9.6).
func TestAnAnswerToAClientThatSendsOn(t *testing.T) {
	t.Parallel()
	var err error
	for range 3 { // as the HTTP server waits for half a second, in which a slow machine may do nothing
		if err = sendOn(t, inFront(t, hasty(t))); err == nil {
			return
		}
	}
	t.Error(err)
}

func sendOn(t *testing.T, front *mocktest.Server) error {
	connection, err := net.Dial("tcp", strings.TrimPrefix(front.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_, _ = io.WriteString(connection,
		"POST /v2/nodes/gpu-node-1/heartbeat HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n{")
	if answer, err := io.ReadAll(connection); err != nil || !strings.HasSuffix(string(answer), "too big") {
		t.Fatalf("the client got %q: %v", answer, err)
	}
	for range 10 {
		if _, err := io.WriteString(connection, " "); err != nil {
			return err
		}
	}
	return nil
}

// hasty starts an orchestratord that answers when it has the head of a request.
func hasty(t *testing.T) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		lines := bufio.NewReader(connection)
		_, _ = http.ReadRequest(lines)
		_, _ = io.WriteString(connection, "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 7\r\n\r\ntoo big")
		_, _ = io.Copy(io.Discard, lines)
	}()
	return "http://" + listener.Addr().String()
}

// TestAClientThatGoes cancels a request that orchestratord has seen, before and in the middle of
// the answer. Orchestratord sees that, and no side is said to drift.
func TestAClientThatGoes(t *testing.T) {
	t.Parallel()
	for name, begun := range map[string]bool{"before the answer": false, "in the answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first, last sync.Once
			seen, ended := make(chan struct{}), make(chan struct{})
			orchestratord := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if begun {
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, "{")
					_ = http.NewResponseController(w).Flush()
				}
				first.Do(func() { close(seen) })
				<-r.Context().Done()
				last.Do(func() { close(ended) })
			}))
			t.Cleanup(orchestratord.Close)
			front := inFront(t, orchestratord.URL)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { <-seen; cancel() }()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, front.URL+"/v2/nodes", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := front.Client().Do(request)
			if err == nil {
				_, err = io.ReadAll(answer.Body)
				_ = answer.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the client got %v", err)
			}
			<-ended
			front.Expect(t, mocktest.AtLeast(1, mocktest.AllRequests).Within(time.Minute))
			if got := front.UpstreamDrift().Entries; len(got) > 0 {
				t.Errorf("orchestratord drifts: %v", got)
			}
		})
	}
}
