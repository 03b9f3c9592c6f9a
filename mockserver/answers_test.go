package mockserver_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// walked has a request for every operation of both documents that meets with success, and
// the path of one that meets with 404 where there is such a thing.
var walked = map[string]struct{ path, body, unknown string }{
	"listNodes":    {path: "/v2/nodes"},
	"registerNode": {path: "/v2/nodes/register", body: briefRegistration},
	"heartbeatNode": {
		path: "/v2/nodes/gpu-node-1/heartbeat", body: briefHeartbeat, unknown: "/v2/nodes/nobody/heartbeat",
	},
	"deregisterNode": {path: "/v2/nodes/gpu-node-1", unknown: "/v2/nodes/nobody"},

	"getOverview":    {path: "/__mock"},
	"reset":          {path: "/__mock/reset"},
	"readSettings":   {path: "/__mock/settings"},
	"changeSettings": {path: "/__mock/settings", body: `{"cloud_profile": true}`},
	"readNodes":      {path: "/__mock/nodes"},
	"loadNodes":      {path: "/__mock/nodes", body: `{"nodes": [{"registration": ` + briefRegistration + `}]}`},
	"readNode":       {path: "/__mock/nodes/gpu-node-1", unknown: "/__mock/nodes/nobody"},
	"forgetNode":     {path: "/__mock/nodes/gpu-node-1", unknown: "/__mock/nodes/nobody"},
	"setNodeStatus": {
		path: "/__mock/nodes/gpu-node-1/status", body: `{"status": "Failed"}`, unknown: "/__mock/nodes/nobody/status",
	},
	"readFaults": {path: "/__mock/faults"},
	"replaceFaults": {
		path: "/__mock/faults", body: `{"faults": {"moody": {"rules": [{"effect": {"status": 503}}]}}}`,
	},
	"putFault": {
		path: "/__mock/faults/moody", body: `{"rules": [{"effect": {"connection": "hang"}}], "enabled": false}`,
	},
	"switchFault":      {path: "/__mock/faults/flaky", body: `{"enabled": false}`, unknown: "/__mock/faults/nothing"},
	"deleteFault":      {path: "/__mock/faults/flaky", unknown: "/__mock/faults/nothing"},
	"readClock":        {path: "/__mock/clock"},
	"changeClock":      {path: "/__mock/clock", body: `{"speed": 1}`},
	"advanceClock":     {path: "/__mock/clock/advance", body: `{"by_ms": 1}`},
	"readJournal":      {path: "/__mock/journal"},
	"clearJournal":     {path: "/__mock/journal"},
	"readArchive":      {path: "/__mock/journal.har"},
	"readEntry":        {path: "/__mock/journal/{newest}", unknown: "/__mock/journal/9007199254740991"},
	"streamJournal":    {path: "/__mock/stream"},
	"readDrift":        {path: "/__mock/drift"},
	"clearDrift":       {path: "/__mock/drift"},
	"checkExpectation": {path: "/__mock/expectations", body: `{"node": "gpu-node-1"}`},
}

// TestEveryDeclaredStatus_heavy walks through all operations of both documents, and provokes
// for each every status that is declared for it. Each answer is held to the document by
// another validator than the server's, which knows of no status that is not declared.
func TestEveryDeclaredStatus_heavy(t *testing.T) {
	race.Skip(t)
	servers := newWalkedServers(t)
	seen := 0
	for _, doc := range documents(t) {
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				seen++
				route := &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: operation}
				for _, status := range slices.Sorted(maps.Keys(operation.Responses.Map())) {
					t.Run(operation.OperationID+"/"+status, func(t *testing.T) {
						servers.provoke(t, route, status)
					})
				}
			}
		}
	}
	if seen != len(walked) {
		t.Errorf("there are %d operations, but requests for %d", seen, len(walked))
	}
}

// walkedServers are mock orchestratords that differ in how well they are disposed.
type walkedServers struct {
	open, locked, broken *client
	inFront              *client // of an orchestratord that has to do what is refused here
	guess                func()  // sends so many wrong control tokens to locked that it has enough
}

func newWalkedServers(t *testing.T) walkedServers {
	const limit = 64 << 10
	open, _ := start(t, mockserver.WithBodyLimit(limit))
	locked, guessed := start(t, mockserver.WithTokens("secret"), mockserver.WithControlToken("other-secret"),
		mockserver.WithLogger(nil))
	broken, server := start(t, mockserver.WithLogger(nil)) // its log would be long
	server.BreakControl()
	inFront, _ := start(t, mockserver.WithUpstream(mockserver.Upstream{URL: open.url}), mockserver.WithLogger(nil))
	return walkedServers{open, locked, broken, inFront, func() {
		gone, leave := context.WithCancel(t.Context())
		leave()
		for range 20 {
			r := httptest.NewRequestWithContext(gone, http.MethodGet, "http://localhost/__mock", nil)
			r.RemoteAddr = "127.0.0.1:1"
			r.Header.Set("Authorization", "Bearer wrong")
			guessed.ServeHTTP(httptest.NewRecorder(), r)
		}
	}}
}

// provoke has an operation answer with a status, and fails the test if it does not.
func (s walkedServers) provoke(t *testing.T, route *routers.Route, status string) {
	good, known := walked[route.Operation.OperationID]
	if !known {
		t.Fatal("there is no request for this operation")
	}
	code, err := strconv.Atoi(status)
	if err != nil {
		t.Fatal(err)
	}
	newest := s.prepare(t)
	good.path = strings.Replace(good.path, "{newest}", newest, 1)
	client, method, path, body, header := s.open, route.Method, good.path, good.body, []string{
		"Content-Type",
		"application/json",
	}
	switch code {
	case http.StatusOK, http.StatusNoContent:
	case http.StatusBadRequest:
		if body == "" {
			path += "?nonsense=1"
		}
		body = "{"
	case http.StatusUnauthorized:
		client = s.locked
	case http.StatusForbidden:
		header = append(header, "Origin", "http://stray.example")
	case http.StatusNotFound:
		path = good.unknown
	case http.StatusConflict:
		client = s.inFront
	case http.StatusMethodNotAllowed:
		method = undeclaredMethod(route.PathItem)
	case http.StatusRequestEntityTooLarge:
		body = strings.Repeat(" ", 17<<20)
	case http.StatusUnsupportedMediaType:
		header[1] = "text/plain"
	case http.StatusUnprocessableEntity:
		body = "[]"
	case http.StatusInternalServerError, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		client = s.failing(t, route, code)
	default:
		t.Fatalf("there is no way to provoke a %d", code)
	}
	if client == s.locked && code == http.StatusTooManyRequests {
		header = append(header, "Authorization", "Bearer wrong")
	}
	got := client.as(t).do(method, path, body, header...)
	for range 20 { // a second may have passed since the guesses, and so there is room for another
		if code != http.StatusTooManyRequests || got.StatusCode != http.StatusUnauthorized {
			break
		}
		s.guess()
		got = client.as(t).do(method, path, body, header...)
	}
	got.expect(t, code)
	client.as(t).hold(got, route)
}

// prepare sees to what the requests take for granted: a node, and an entry of the
// journal. It returns the number of the newest.
func (s walkedServers) prepare(t *testing.T) string {
	for _, id := range []string{"reset", "loadNodes"} {
		r := walked[id]
		method := map[string]string{"reset": "POST", "loadNodes": "PUT"}[id]
		s.open.as(t).do(method, r.path, r.body, "Content-Type", "application/json").expect(t, http.StatusNoContent)
	}
	var journal control.JournalPage
	decode(t, s.open.as(t).do("GET", walked["readJournal"].path, "").text, &journal)
	return strconv.FormatInt(journal.Last, 10)
}

// failing returns a server that fails at an operation with a status.
func (s walkedServers) failing(t *testing.T, route *routers.Route, status int) *client {
	if strings.HasPrefix(route.Path, "/__mock") {
		if status == http.StatusTooManyRequests {
			s.guess()
			return s.locked
		}
		return s.broken
	}
	fault := fmt.Sprintf(`{"rules": [{"effect": {"status": %d, "retry_after_s": 7}}]}`, status)
	s.open.as(t).do("PUT", "/__mock/faults/moody", fault, "Content-Type", "application/json").expect(t, http.StatusOK)
	return s.open
}

// undeclaredMethod returns a method that a path does not know.
func undeclaredMethod(item *openapi3.PathItem) string {
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		if item.GetOperation(method) == nil {
			return method
		}
	}
	return http.MethodPatch
}

// timed is a client with a connection that takes note of its deadline.
type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
	written  int  // bytes since that was set
	unbound  int  // writes without a deadline, or beyond a piece
	gone     bool // whether writes fail
	after    int  // bytes after which they do
}

func (c *timed) SetWriteDeadline(deadline time.Time) error {
	c.deadline, c.written = deadline, 0
	return nil
}

func (c *timed) Write(text []byte) (int, error) {
	if c.written += len(text); !c.deadline.After(time.Now()) || c.written > 16<<10 {
		c.unbound++
	}
	if c.gone && c.Body.Len() >= c.after {
		return 0, net.ErrClosed
	}
	return c.ResponseRecorder.Write(text)
}

// TestEveryAnswerHasADeadline_heavy asks for answers of all kinds, again after the deadline of the
// one before has passed. What the HTTP server sends in the end has one, too.
func TestEveryAnswerHasADeadline_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Load(fleet(t, 1000))
		client, tag := &timed{}, ""
		for _, path := range []string{
			"/v2/nodes/node-000000", "/v2/nodes", "/nowhere", "/healthz", "/metrics", "/docs",
			"/__mock", "/__mock/nodes", "/", "/docs/swagger-ui.css", "/docs/swagger-ui.css",
		} {
			request := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
			request.Header.Set("If-None-Match", tag)
			client.ResponseRecorder = httptest.NewRecorder()
			s.ServeHTTP(client, request)
			tag = client.Header().Get("Etag")
			empty := client.Body.Len() == 0 && client.Code != http.StatusNotModified
			if empty || client.unbound > 0 || !client.deadline.After(time.Now()) {
				t.Errorf("%s: %d bytes, %d writes without a deadline, which is %s from now", path, client.Body.Len(),
					client.unbound, time.Until(client.deadline))
			}
			time.Sleep(time.Minute)
		}
		request := httptest.NewRequest(http.MethodPost, "/v2/nodes/register", http.NoBody)
		request.Header.Set("Expect", "100-continue")
		request.Header.Set("Content-Type", "application/json")
		request.Body = bodyThatAsks{t, client}
		s.ServeHTTP(client, request)
	})
}

// TestATrickleHasNoDeadline answers slowly on a connection that has the deadline of an answer before.
func TestATrickleHasNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := &timed{ResponseRecorder: httptest.NewRecorder()}
		ask := func() { s.ServeHTTP(client, httptest.NewRequest(http.MethodGet, "http://localhost/v2/nodes", nil)) }
		ask()
		if client.deadline.IsZero() {
			t.Error("the first answer has no deadline")
		}
		_, err := s.Faults().Put("test", control.FaultDefinition{Rules: control.FaultRules{{
			Effect: control.FaultEffect{Body: new(control.FaultEffectBodyTrickle)},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		ask()
		if !client.deadline.IsZero() {
			t.Errorf("the trickle has to end by %s", client.deadline)
		}
	})
}

// bodyThatAsks is there when the HTTP server has sent that it expects it.
type bodyThatAsks struct {
	*testing.T
	client *timed
}

func (b bodyThatAsks) Read([]byte) (int, error) {
	if !b.client.deadline.After(time.Now()) {
		b.Error("what asks for the body comes after the deadline of the answer before")
	}
	return 0, http.ErrBodyReadAfterClose
}

func (bodyThatAsks) Close() error { return nil }

// TestAClientThatHasGone asks for a long answer that cannot be sent. That is no fault of the mock.
func TestAClientThatHasGone(t *testing.T) {
	log := newLog()
	s := newServer(t, mockserver.WithLogger(log.logger))
	s.Load(fleet(t, 1000))
	for _, after := range []int{0, 100_000} { // before the answer, and in its midst
		client := &timed{ResponseRecorder: httptest.NewRecorder(), gone: true, after: after}
		s.ServeHTTP(client, httptest.NewRequest(http.MethodGet, "http://localhost/v2/nodes", nil))
	}
	if logged := log.entries("internal error"); len(logged) > 0 {
		t.Errorf("logged %v", logged)
	}
}

// TestCorrelationID asks four times with the same ids, for answers of every part of the
// server.
func TestCorrelationID(t *testing.T) {
	client, _ := start(t, mockserver.WithTokens("secret"))
	for _, test := range []struct {
		given []string
		fits  bool
	}{
		{[]string{"4f1c9d2e-7a30-4b8e-9c55-0d6f1a2b3c4d"}, true},
		{[]string{"x"}, true},
		{[]string{strings.Repeat("x", 128)}, true},
		{nil, false},
		{[]string{""}, false},
		{[]string{"-x"}, false},
		{[]string{"a b"}, false},
		{[]string{strings.Repeat("x", 129)}, false},
		{[]string{"one", "two"}, false},
	} {
		var headers []string
		for _, id := range test.given {
			headers = append(headers, "X-Correlation-Id", id)
		}
		ids := map[string]bool{}
		for _, got := range []answer{
			client.do("GET", "/v2/nodes", "", append(headers, "Authorization", "Bearer secret")...),
			client.do("GET", "/v2/nodes", "", headers...),
			client.do("PUT", "/v2/nodes", "", headers...),
			client.do("GET", "/nowhere", "", headers...),
		} {
			ids[got.Header.Get("X-Correlation-Id")] = true
		}
		switch {
		case test.fits && (len(ids) != 1 || !ids[test.given[0]]):
			t.Errorf("%q: the answers carry %v", test.given, ids)
		case !test.fits && len(ids) != 4:
			t.Errorf("%q: the answers carry %v, want ids made up for each", test.given, ids)
		}
	}
}
