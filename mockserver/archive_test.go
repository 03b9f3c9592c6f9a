package mockserver_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/har"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestArchive reads what the archive has of a request that took three seconds.
func TestArchive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := mocktest.InMemory(t)
		server.Inject(t, "slow", control.FaultDefinition{Rules: control.FaultRules{{
			Effect: control.FaultEffect{
				LatencyMs: new(int64(3000)), Status: new(int32(http.StatusBadGateway)), Text: new("no route"),
			},
		}}})
		began := time.Now().UTC()
		request := must(http.NewRequestWithContext(t.Context(), http.MethodPost,
			server.URL+"/v2/nodes/register?x=1", strings.NewReader(`{}`)))
		request.Header.Set("Content-Type", "application/json")
		must(server.Client().Do(request)).Body.Close()

		want := har.Entry{
			Started: began, Time: 3000, Timings: har.Timings{Wait: 3000}, Comment: "registerNode 502 (fault slow)",
			Request: har.Request{
				Method: "POST", URL: "http://localhost/v2/nodes/register?x=1", HTTPVersion: "HTTP/1.1",
				Cookies: []har.Pair{}, Headers: []har.Pair{{Name: "Content-Type", Value: "application/json"}},
				QueryString: []har.Pair{}, HeadersSize: -1, BodySize: 2,
				PostData: &har.PostData{MimeType: "application/json", Params: []har.Pair{}, Text: `{}`},
			},
			Response: har.Response{
				Status: 502, StatusText: "Bad Gateway", HTTPVersion: "HTTP/1.1", Cookies: []har.Pair{},
				Headers: []har.Pair{
					{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
					{Name: "X-Content-Type-Options", Value: "nosniff"},
				},
				Content:     har.Content{Size: 8, MimeType: "text/plain; charset=utf-8", Text: "no route"},
				HeadersSize: -1, BodySize: 8,
			},
		}
		archive := must(har.Read(bytes.NewReader(answerTo(t, server, "/__mock/journal.har"))))
		if diff := cmp.Diff([]har.Entry{want}, archive.Log.Entries); diff != "" {
			t.Errorf("the archive (-want +got):\n%s", diff)
		}
	})
}

// TestArchiveOfManyRequests has more of them than are read at once, with other entries in between.
func TestArchiveOfManyRequests(t *testing.T) {
	server := mocktest.InMemory(t, mockserver.WithLogger(nil))
	for range 120 {
		answerTo(t, server, "/v2/nodes")
		server.Journal().Control(time.Now(), "something")
	}
	entries := must(har.Read(bytes.NewReader(answerTo(t, server, "/__mock/journal.har")))).Log.Entries
	if len(entries) != 120 {
		t.Errorf("the archive has %d requests, want 120", len(entries))
	}
}

// TestArchiveOfLongBodies has bodies that the journal keeps the beginning of. They are not taken for whole ones.
func TestArchiveOfLongBodies(t *testing.T) {
	server := mocktest.InMemory(t, mockserver.WithLogger(nil))
	server.Load(fleet(t, page))
	p, sent := pair{t: t, front: server}, longHeartbeat(100_000)
	p.post("/v2/nodes/node-000000/heartbeat", sent)
	answered := answerTo(t, server, "/v2/nodes")
	entries := must(har.Read(bytes.NewReader(answerTo(t, server, "/__mock/journal.har")))).Log.Entries
	request, answer := must(entries[0].HTTPRequest(t.Context())).Body, entries[1].HTTPResponse().Body
	for what, body := range map[string]struct {
		kept io.Reader
		size int64
		want int
	}{
		"request": {request, entries[0].Request.BodySize, len(sent)},
		"answer":  {answer, entries[1].Response.BodySize, len(answered)},
	} {
		if _, err := io.ReadAll(body.kept); !errors.Is(err, io.ErrUnexpectedEOF) || int(body.size) != body.want {
			t.Errorf("the %s has %d bytes, want %d, and reading it ends with %v", what, body.size, body.want, err)
		}
	}
}

// TestArchiveOfEncodedBodies has bodies that the journal keeps as they were sent, and whose readers have to know.
func TestArchiveOfEncodedBodies(t *testing.T) {
	server := mocktest.InMemory(t)
	plain, compressed := http.Header{}, http.Header{"Content-Encoding": {"gzip"}}
	exchanges := [][2]http.Header{{plain, plain}, {compressed, plain}, {plain, compressed}}
	for _, headers := range exchanges {
		server.Journal().Exchange(journal.Exchange{RequestHeader: headers[0], AnswerHeader: headers[1]})
	}
	entries := must(har.Read(bytes.NewReader(answerTo(t, server, "/__mock/journal.har")))).Log.Entries
	for i, headers := range exchanges {
		request, answer := must(entries[i].HTTPRequest(t.Context())).Header, entries[i].HTTPResponse().Header
		if diff := cmp.Diff(headers, [2]http.Header{request, answer}); diff != "" {
			t.Errorf("headers of request and answer (-sent +read):\n%s", diff)
		}
	}
}

// TestArchiveOverTLS has the URLs by which the client knows the mock.
func TestArchiveOverTLS(t *testing.T) {
	server := mocktest.InMemory(t)
	get := func(path string) io.Reader {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "https://127.0.0.1:8443"+path, nil))
		return answer.Body
	}
	get("/v2/nodes")
	archive := must(har.Read(get("/__mock/journal.har")))
	if got := archive.Log.Entries[0].Request.URL; got != "https://127.0.0.1:8443/v2/nodes" {
		t.Errorf("the URL is %s", got)
	}
}

// TestArchiveOfABusyMock has a request come with every piece of the archive that the client reads.
func TestArchiveOfABusyMock(t *testing.T) {
	server := mocktest.InMemory(t)
	get := func(answer http.ResponseWriter, path string) {
		server.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
	}
	get(httptest.NewRecorder(), "/v2/nodes")
	client := &busyClient{ResponseRecorder: httptest.NewRecorder(), meanwhile: func() {
		get(httptest.NewRecorder(), "/v2/nodes")
	}}
	get(client, "/__mock/journal.har")
	archive, err := har.Read(client.Body)
	if err != nil {
		t.Fatalf("after %d pieces: %v", client.pieces, err)
	}
	if got := len(archive.Log.Entries); got != 1 {
		t.Errorf("the archive has %d requests, want the one that there was", got)
	}
}

// busyClient reads a few pieces of an answer, and has something happen before each of them.
type busyClient struct {
	*httptest.ResponseRecorder
	pieces    int
	meanwhile func()
}

func (c *busyClient) Write(text []byte) (int, error) {
	if c.pieces++; c.pieces > 10 {
		return 0, errors.New("the client has had enough")
	}
	c.meanwhile()
	return c.ResponseRecorder.Write(text)
}
