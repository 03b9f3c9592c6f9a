package mockserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// scripted is an orchestratord that reads one request of each connection, writes a text whatever
// the request is, and hangs up.
type scripted struct {
	url  string
	seen chan *http.Request // with the body read
	body chan string
}

func script(t *testing.T, answer func(connection net.Conn, r *http.Request)) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s := &scripted{"http://" + listener.Addr().String(), make(chan *http.Request, 1), make(chan string, 1)}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(connection, answer)
		}
	}()
	return s
}

func (s *scripted) serve(connection net.Conn, answer func(net.Conn, *http.Request)) {
	defer connection.Close()
	r, err := http.ReadRequest(bufio.NewReader(connection))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(r.Body)
	select {
	case s.seen <- r:
		s.body <- string(body)
	default:
	}
	answer(connection, r)
}

// says returns an answer that is a text.
func says(text string) func(net.Conn, *http.Request) {
	return func(connection net.Conn, _ *http.Request) { _, _ = io.WriteString(connection, text) }
}

// exchangeRaw sends a text over a connection of its own, and returns all that comes back. The server need
// not read the whole text.
func exchangeRaw(t *testing.T, server *mocktest.Server, request string) string {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	go func() { _, _ = io.WriteString(connection, request) }()
	answer, _ := io.ReadAll(connection) // an error is a connection that was reset
	return string(answer)
}

func TestRequestsPassAsTheyAre(t *testing.T) {
	t.Parallel()
	const plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	for name, request := range map[string]string{
		"headers": "GET /v2/nodes HTTP/1.1\r\nHost: orchestratord.example:81\r\n" +
			"X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\nForwarded: for=10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Two: " +
			"a\r\nX-Two: b\r\nAuthorization: Bearer " +
			"t0ken\r\n\r\n",
		"a path that is escaped, and a query that is none": "GET /v2//nodes/%7e%2F%zz/../x?a;b=%zz&c HTTP/" +
			"1.1\r\nHost: h\r\n\r\n",
		"an empty query": "GET /v2/nodes? HTTP/1.1\r\nHost: h\r\n\r\n",
		"a body": "POST /v2/nodes/n/heartbeat HTTP/1.1\r\nHost: h\r\nContent-Type: application/" +
			"json\r\nContent-Length: 4\r\n\r\n{\"a\"",
		"chunks and trailers": "POST /v2/nodes/register HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " +
			"chunked\r\nTrailer: X-Sum\r\n\r\n" +
			"3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n",
		"a path that nobody knows": "BREW /pot?milk HTTP/1.1\r\nHost: h\r\nUser-Agent: kettle\r\nAccept-Encoding: " +
			"br\r\n\r\n",
		"HEAD": "HEAD /v2/nodes HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		if strings.Contains(request, "%zz/") {
			request = strings.ReplaceAll(request, "%zz/", "zz/") // which no HTTP server takes in a path
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orchestratord := script(t, says(plain))
			exchangeRaw(t, inFront(t, orchestratord.url),
				strings.Replace(request, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
			want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(want.Body)
			got := <-orchestratord.seen
			type parts struct {
				Method, Target, Host, Body string
				Length                     int64
				Encoding                   []string
				Header, Trailer            http.Header
			}
			wanted := parts{
				want.Method, want.RequestURI, want.Host, string(body), want.ContentLength,
				want.TransferEncoding, want.Header, want.Trailer,
			}
			if diff := cmp.Diff(wanted, parts{
				got.Method, got.RequestURI, got.Host, <-orchestratord.body, got.ContentLength, got.TransferEncoding,
				got.Header, got.Trailer,
			}); diff != "" {
				t.Errorf("orchestratord got another request (-sent +got):\n%s", diff)
			}
		})
	}
}

func TestAnswersPassAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no content type, no date":      "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
		"a text without a content type": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
		"headers": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: yesterday\r\nServer: " +
			"axum\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Correlation-Id: 7\r\n\r\nok",
		"a status that is none": "HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nno",
		"nothing":               "HTTP/1.1 204 No Content\r\n\r\n",
		"chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " +
			"chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		"chunked, without a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"trailers": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: " +
			"X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n",
		"compressed": "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
		"a redirect": "HTTP/1.1 307 Temporary Redirect\r\nLocation: /v3/" +
			"nodes\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orchestratord := script(t, says(answer))
			got := exchangeRaw(t, inFront(t, orchestratord.url),
				"GET /v2/nodes HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if diff := cmp.Diff(readAnswer(t, answer), readAnswer(t, got)); diff != "" {
				t.Errorf("the client got another answer (-sent +got):\n%s", diff)
			}
		})
	}
}

type answerParts struct {
	Code            int
	Length          int64
	Encoding        []string
	Header, Trailer http.Header
	Body            string
}

func readAnswer(t *testing.T, text string) answerParts {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil {
		t.Fatalf("no answer in %q: %v", text, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("half an answer in %q: %v", text, err)
	}
	response.Header.Del("Connection") // which is between two
	return answerParts{
		response.StatusCode, response.ContentLength, response.TransferEncoding, response.Header, response.Trailer,
		string(body),
	}
}

func TestInterimAnswersPass(t *testing.T) {
	t.Parallel()
	orchestratord := script(t,
		says("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	got := exchangeRaw(t, inFront(t, orchestratord.url),
		"GET /v2/nodes HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if want := "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"; !strings.HasPrefix(got, want) ||
		!strings.HasSuffix(got, "\r\n\r\nok") {
		t.Errorf("got %q, want it to begin with %q", got, want)
	}
}

func TestBrokenConnectionsAreBroken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ answer, got, remark string }{
		"no answer": {"", "", "orchestratord broke the connection"},
		"garbage":   {"<html>nginx</html>", "", "orchestratord broke the connection"},
		"a status that HTTP does not have": {
			"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", "", "orchestratord broke the connection",
		},
		"another protocol, unasked": {
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nping", "", "101",
		},
		"less than it promised": {
			"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
			"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf",
			"orchestratord broke the answer off",
		},
		"a chunk that does not end": {
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
			"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
			"orchestratord broke the answer off",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orchestratord := script(t, says(test.answer))
			front := inFront(t, orchestratord.url)
			got := exchangeRaw(t, front, "GET /v2/nodes HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if got != test.got {
				t.Errorf("the client got %q, want %q and no more", got, test.got)
			}
			front.Expect(t, mocktest.Exactly(1, mocktest.AllRequests))
			if summary := lastExchange(front).Summary; !strings.Contains(summary, test.remark) {
				t.Errorf("the journal says %q, want %q", summary, test.remark)
			}
		})
	}
}

// TestARequestWithoutAnAnswerIsNotAccepted sends what is refused in service: it is not known to be accepted.
func TestARequestWithoutAnAnswerIsNotAccepted(t *testing.T) {
	t.Parallel()
	front := inFront(t, script(t, says("")).url)
	if answer, err := http.Post(front.URL+"/v2/nodes/gpu-node-1/heartbeat", "application/json",
		strings.NewReader(briefHeartbeat)); err == nil {
		t.Errorf("answered %s", answer.Status)
	}
	if got := front.RefusedInService().Entries; len(got) > 0 {
		t.Errorf("accepted, and refused in service: %v", got)
	}
	if node, known := front.Node("gpu-node-1"); known {
		t.Errorf("the front knows %+v", node)
	}
}

// TestTheJournalHasTheHeadThatAFaultChanged has a fault change the heads of answers with and without a body.
func TestTheJournalHasTheHeadThatAFaultChanged(t *testing.T) {
	p := newPair(t, mockserver.Document)
	p.post("/v2/nodes/register", briefRegistration)
	p.front.Inject(t, "test", control.FaultDefinition{Rules: control.FaultRules{{
		Effect: control.FaultEffect{RetryAfterS: new(int32(7))},
	}}})
	for _, call := range []string{"GET /v2/nodes", "DELETE /v2/nodes/gpu-node-1"} {
		method, path, _ := strings.Cut(call, " ")
		request, err := http.NewRequestWithContext(t.Context(), method, p.front.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := p.front.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		header := *lastExchange(p.front).Answer.Header
		for _, name := range []string{"Retry-After", "X-Correlation-Id"} {
			if got := answer.Header.Get(name); got == "" || got != header[name] {
				t.Errorf("%s: the client got %s: %q, and the journal has %v", call, name, got, header)
			}
		}
	}
}

// lastExchange returns the last exchange of the journal, empty if there is none.
func lastExchange(server *mocktest.Server) (last control.JournalEntry) {
	for _, entry := range server.Journal().Page(journal.Filter{Kind: control.EntryKindExchange}, 1).Entries {
		last = entry
	}
	return last
}

// TestConnectionsAreKept has eight nodes send two requests each, at once. Each pair has one connection.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const nodes = 8
	var (
		made  atomic.Int64
		begun sync.WaitGroup
	)
	orchestratord := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun.Done()
		begun.Wait()
	}))
	orchestratord.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			made.Add(1)
		}
	}
	orchestratord.Start()
	t.Cleanup(orchestratord.Close)
	front := inFront(t, orchestratord.URL, mockserver.WithLogger(nil))
	for range 2 {
		begun.Add(nodes)
		var sent sync.WaitGroup
		for range nodes {
			sent.Go(func() { answerTo(t, front, "/v2/nodes") })
		}
		sent.Wait()
	}
	if got := made.Load(); got != nodes {
		t.Errorf("%d connections were made, want %d", got, nodes)
	}
}

func TestAnOrchestratordThatCannotBeReached(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // whose port is free again
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	front := inFront(t, "http://"+listener.Addr().String())
	got := readAnswer(t, exchangeRaw(t, front,
		"POST /v2/nodes/gpu-node-1/heartbeat HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
	var problem nodeapi.Problem
	decode(t, []byte(got.Body), &problem)
	if got.Code != http.StatusBadGateway || problem.Code != "upstream_unreachable" ||
		got.Header.Get("X-Correlation-Id") == "" {
		t.Errorf("answered %d %s, want 502 with a problem of its own", got.Code, got.Body)
	}
	if summary := lastExchange(front).Summary; !strings.Contains(summary, fmt.Sprint(http.StatusBadGateway)) ||
		strings.Contains(summary, "broke") {
		t.Errorf("the journal says %q, want the 502 alone", summary)
	}
}
