package mockserver_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// The payloads of the product brief.
const (
	briefRegistration = `{
  "node_id": "gpu-node-1",
  "machine_id": "machine-alpha",
  "address": "http://192.168.1.100:9200",
  "pools": ["pool-0", "pool-1"],
  "capabilities": {
    "gpu_count": 2,
    "total_vram_mb": 48000,
    "cuda_version": "12.1"
  }
}
`
	briefHeartbeat = `{
  "timestamp": "2025-10-01T00:00:00Z",
  "pools": [
    {
      "pool_id": "pool-0",
      "ready": true,
      "slots_free": 4
    }
  ]
}
`
)

// client sends requests to a server and holds every answer to the documents.
type client struct {
	t    testing.TB
	url  string
	http *http.Client
	docs []*openapi3.T // of the node API and of the control API; without them, answers may be any
}

// start returns a client of a new server that listens on the loopback interface.
func start(t testing.TB, options ...mockserver.Option) (*client, *mocktest.Server) {
	t.Helper()
	server := mocktest.Start(t, options...)
	return newClient(t, server.URL, http.DefaultTransport), server
}

// newClient returns a client that sends its requests to url through transport.
func newClient(t testing.TB, url string, transport http.RoundTripper) *client {
	t.Helper()
	return &client{t: t, url: url, http: &http.Client{Transport: transport}, docs: documents(t)}
}

// as returns the client for a part of its test.
func (c *client) as(t testing.TB) *client {
	part := *c
	part.t = t
	return &part
}

// documents returns those of the node API and of the control API, read from their files.
func documents(t testing.TB) []*openapi3.T {
	t.Helper()
	docs, err := readDocuments()
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

var readDocuments = sync.OnceValues(func() (docs []*openapi3.T, _ error) {
	// All that the control API sends besides JSON is a stream, which is text.
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.PlainBodyDecoder)
	for _, file := range []string{"../openapi/nodes.yaml", "../openapi/mock-control.yaml"} {
		loader := openapi3.NewLoader()
		loader.IsExternalRefsAllowed = true
		doc, err := loader.LoadFromFile(file)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
})

// answer is a response whose body has been read.
type answer struct {
	*http.Response
	text []byte
}

// do sends a request. The headers come in pairs of name and value.
func (c *client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	return c.send(c.request(method, path, body, headers...))
}

func (c *client) request(method, path, body string, headers ...string) *http.Request {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Add(pair[0], pair[1])
	}
	return request
}

func (c *client) send(request *http.Request) answer {
	c.t.Helper()
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	read := io.ReadAll
	if response.Header.Get("Content-Type") == "text/event-stream" {
		read = firstLine // there may be no last
	}
	text, err := read(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := answer{Response: response, text: text}
	c.check(a)
	return a
}

func firstLine(body io.Reader) ([]byte, error) {
	return bufio.NewReader(body).ReadBytes('\n')
}

// register, beat, deregister and list send what a node or a person would.

func (c *client) register(body string) answer {
	c.t.Helper()
	return c.do("POST", "/v2/nodes/register", body, "Content-Type", "application/json")
}

func (c *client) beat(id, body string) answer {
	c.t.Helper()
	return c.do("POST", "/v2/nodes/"+id+"/heartbeat", body, "Content-Type", "application/json")
}

func (c *client) deregister(id string) answer {
	c.t.Helper()
	return c.do("DELETE", "/v2/nodes/"+id, "")
}

func (c *client) list() nodeapi.NodeList {
	c.t.Helper()
	var list nodeapi.NodeList
	decode(c.t, c.do("GET", "/v2/nodes", "").expect(c.t, http.StatusOK).text, &list)
	return list
}

// check holds an answer to the document, with a validator other than the server's.
func (c *client) check(a answer) {
	c.t.Helper()
	if len(a.Header.Values("X-Correlation-Id")) != 1 {
		c.t.Errorf("%s %s: X-Correlation-Id is %q", a.Request.Method, a.Request.URL,
			a.Header.Values("X-Correlation-Id"))
	}
	if a.StatusCode >= 400 && a.Request.Method != http.MethodHead {
		c.checkProblem(a)
	}
	route := c.route(a.Request)
	if route != nil {
		c.hold(a, route)
		return
	}
	if c.docs != nil &&
		!slices.Contains([]int{http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed}, a.StatusCode) {
		c.t.Errorf("%s %s: status %d for a request that fits no operation", a.Request.Method, a.Request.URL,
			a.StatusCode)
	}
}

// hold holds an answer to what the document says of an operation.
func (c *client) hold(a answer, route *routers.Route) {
	c.t.Helper()
	err := openapi3filter.ValidateResponse(c.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: a.Request, Route: route},
		Status:                 a.StatusCode,
		Header:                 a.Header,
		Body:                   io.NopCloser(bytes.NewReader(a.text)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		c.t.Errorf("%s %s: the answer breaks the document: %v", a.Request.Method, a.Request.URL, err)
	}
}

func (c *client) checkProblem(a answer) {
	c.t.Helper()
	p := a.problem(c.t)
	id := a.Header.Get("X-Correlation-Id")
	if int(p.Status) != a.StatusCode || p.Type != "urn:llama-orch:problem:"+string(p.Code) ||
		p.Instance != "urn:llama-orch:correlation:"+id || !p.Code.Valid() && !control.ProblemCode(p.Code).Valid() ||
		p.Title == "" || p.Detail == "" {
		c.t.Errorf("%s %s: problem %+v with status %d and correlation id %s", a.Request.Method, a.Request.URL, p,
			a.StatusCode, id)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		c.t.Errorf("%s %s: content type %q", a.Request.Method, a.Request.URL, got)
	}
}

// route returns the operation of a request, nil if there is none.
func (c *client) route(r *http.Request) *routers.Route {
	steps := strings.Split(r.URL.EscapedPath(), "/")
	for _, doc := range c.docs {
		for path, item := range doc.Paths.Map() {
			operation := item.GetOperation(r.Method)
			fits := slices.EqualFunc(steps, strings.Split(path, "/"), func(step, declared string) bool {
				return step == declared || strings.HasPrefix(declared, "{") && step != ""
			})
			if operation != nil && fits {
				return &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: operation}
			}
		}
	}
	return nil
}

// expect fails the test unless the answer has a status.
func (a answer) expect(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.text)
	}
	return a
}

func (a answer) problem(t testing.TB) nodeapi.Problem {
	t.Helper()
	var p nodeapi.Problem
	decode(t, a.text, &p)
	return p
}

// pointers returns where the answer says that the body breaks the contract, each place
// once.
func (a answer) pointers(t testing.TB) []string {
	t.Helper()
	pointers := []string{}
	if errors := a.problem(t).Errors; errors != nil {
		for _, violation := range *errors {
			pointers = append(pointers, violation.Pointer)
		}
	}
	slices.Sort(pointers)
	return slices.Compact(pointers)
}

func decode(t testing.TB, text []byte, value any) {
	t.Helper()
	if err := json.Unmarshal(text, value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func newServer(t testing.TB, options ...mockserver.Option) *mockserver.Server {
	t.Helper()
	s, err := mockserver.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
