package mockserver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// registered is what a node that registers is answered, as long as all is well.
const registered = `{"message":"node registered","node_id":"gpu-node-1","success":true}` + "\n"

// TestCorruptedRegistration has a node register, as a Go client sees it over a socket.
func TestCorruptedRegistration(t *testing.T) {
	fails := func(want error) func(*testing.T, answer, error) {
		return func(t *testing.T, _ answer, err error) {
			if !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		}
	}
	body := func(want string) func(*testing.T, answer, error) {
		return func(t *testing.T, got answer, err error) {
			if err != nil || got.StatusCode != http.StatusOK || string(got.text) != want {
				t.Errorf("answer %+v with %q, error %v", got, got.text, err)
			}
		}
	}
	for _, test := range []struct {
		effect     string
		check      func(*testing.T, answer, error)
		registered bool
	}{
		{"{latency_ms: 1}", body(registered), true},
		{"{connection: reset_before}", fails(syscall.ECONNRESET), false},
		{"{connection: reset_after}", fails(syscall.ECONNRESET), true},
		{"{body: truncated}", fails(io.ErrUnexpectedEOF), true},
		{"{body: empty}", body(""), true},
		{"{body: trickle, trickle_ms: 1}", body(registered), true},
		{"{body: garbage}", func(t *testing.T, got answer, err error) {
			if err != nil || got.StatusCode != http.StatusOK || len(got.text) == 0 || json.Valid(got.text) {
				t.Errorf("answer %+v with %q, error %v", got, got.text, err)
			}
		}, true},
		{"{content_type: text/html}", func(t *testing.T, got answer, err error) {
			if err != nil || got.Header.Get("Content-Type") != "text/html" || string(got.text) != registered {
				t.Errorf("answer %+v with %q, error %v", got, got.text, err)
			}
		}, true},
		{"{retry_after_s: 7}", func(t *testing.T, got answer, err error) {
			if err != nil || got.StatusCode != http.StatusOK || got.Header.Get("Retry-After") != "7" {
				t.Errorf("answer %+v, error %v", got, err)
			}
		}, true},
		{"{reject: true, detail: the pool is full}", func(t *testing.T, got answer, err error) {
			if err != nil {
				t.Fatal(err)
			}
			var rejection nodeapi.RegisterResponse
			decode(t, got.text, &rejection)
			want := nodeapi.RegisterResponse{Message: "the pool is full", NodeID: "gpu-node-1"}
			if got.StatusCode != http.StatusOK || rejection != want {
				t.Errorf("answer %+v: %+v", got, rejection)
			}
		}, false},
		{"{status: 503, retry_after_s: 9, detail: moving, body: truncated}", fails(io.ErrUnexpectedEOF), false},
		{"{status: 418, content_type: text/plain}", func(t *testing.T, got answer, err error) {
			if err != nil || got.StatusCode != http.StatusTeapot || got.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("answer %+v, error %v", got, err)
			}
		}, false},
	} {
		t.Run(test.effect, func(t *testing.T) {
			server := mocktest.Start(t, fault(t, "{effect: "+test.effect+"}"))
			got, err := post(t, t.Context(), server.URL)
			test.check(t, got, err)
			if got := len(server.Nodes()) == 1; got != test.registered {
				t.Errorf("registered: %t", got)
			}
			if state := stateOf(t, server, "it"); state.Applied != 1 {
				t.Errorf("the fault acted %d times", state.Applied)
			}
			server.Faults().Switch("it", false)
			if got, err := post(t, t.Context(), server.URL); err != nil || got.StatusCode != http.StatusOK {
				t.Errorf("without the fault: %+v, %v", got, err)
			}
		})
	}
}

// TestCorruptedStatus_heavy holds the problem of every status that the document declares to the
// document, and that of any other to what problems have in common.
func TestCorruptedStatus_heavy(t *testing.T) {
	race.Skip(t)
	for _, request := range []struct {
		operation control.Operation
		send      func(*client) answer
	}{
		{control.OperationRegisterNode, func(c *client) answer { return c.register(briefRegistration) }},
		{control.OperationHeartbeatNode, func(c *client) answer { return c.beat("gpu-node-1", briefHeartbeat) }},
		{control.OperationDeregisterNode, func(c *client) answer { return c.deregister("gpu-node-1") }},
		{control.OperationListNodes, func(c *client) answer { return c.do("GET", "/v2/nodes", "") }},
	} {
		t.Run(string(request.operation), func(t *testing.T) {
			client, server := start(t, mockserver.WithLogger(nil))
			lenient := newClient(t, server.URL, http.DefaultTransport)
			lenient.docs = nil
			for status := int32(400); status < 600; status++ {
				effect := control.FaultEffect{Status: &status}
				if _, err := server.Faults().Put("it",
					control.FaultDefinition{Rules: []control.FaultRule{{Effect: effect}}}); err != nil {
					t.Fatal(err)
				}
				if declares(client, request.operation, int(status)) {
					request.send(client).expect(t, int(status))
				} else {
					request.send(lenient).expect(t, int(status))
				}
			}
			if len(server.Nodes()) > 0 {
				t.Error("what was asked is done")
			}
		})
	}
}

// TestCorruptedHeaders looks at headers that a status comes with.
func TestCorruptedHeaders(t *testing.T) {
	for _, test := range []struct{ effect, header, want string }{
		{"{status: 401}", "WWW-Authenticate", `Bearer realm="orchestratord", error="invalid_token"`},
		{"{status: 405}", "Allow", "DELETE, POST"},
		{"{status: 429}", "Retry-After", "1"},
		{"{status: 503}", "Retry-After", "1"},
		{"{status: 503, retry_after_s: 30}", "Retry-After", "30"},
		{"{status: 500, retry_after_s: 0}", "Retry-After", "0"},
		{"{status: 500}", "Retry-After", ""},
	} {
		client, _ := start(t, fault(t, "{effect: "+test.effect+"}"))
		if got := client.register(briefRegistration).Header.Get(test.header); got != test.want {
			t.Errorf("%s: %s is %q, want %q", test.effect, test.header, got, test.want)
		}
	}
}

// Only an unknown node registers again.
func TestCorruptedStatusIsThatOfANode(t *testing.T) {
	client, _ := start(t, fault(t, "{match: {operations: [heartbeatNode]}, effect: {status: 404}}"))
	client.register(briefRegistration).expect(t, http.StatusOK)
	if p := client.beat("gpu-node-1", briefHeartbeat).problem(t); p.Code != nodeapi.ProblemCodeUnknownNode {
		t.Errorf("%+v", p)
	}
}

func TestCorruptedProblem(t *testing.T) {
	client, _ := start(t, fault(t, "{effect: {status: 429, detail: not so fast}}"))
	p := client.register(briefRegistration).problem(t)
	if p.Code != nodeapi.ProblemCodeThrottled || p.Detail != "not so fast" || p.Title != "Too many requests" {
		t.Errorf("%+v", p)
	}
}

// A node that leaves gets no body, and no fault gives it one.
func TestNoBodyToCorrupt(t *testing.T) {
	for _, body := range []string{"empty", "truncated", "garbage", "trickle"} {
		client, server := start(t,
			fault(t, "{match: {operations: [deregisterNode]}, effect: {body: "+body+", content_type: text/html}}"))
		client.register(briefRegistration)
		if got := client.deregister("gpu-node-1").expect(t, http.StatusNoContent); len(got.text) > 0 ||
			got.Header.Get("Content-Type") != "" || len(server.Nodes()) > 0 {
			t.Errorf("%s: %v %q, %v", body, got.Header, got.text, server.Nodes())
		}
	}
}

// TestNothingToCorruptInService has a node leave that is not known, which is answered 404 and without a body there.
func TestNothingToCorruptInService(t *testing.T) {
	s := inService(t, fault(t, "{effect: {body: garbage, content_type: text/html}}"))
	got := s.must(http.StatusNotFound, "DELETE", "/v2/nodes/gpu-node-1", "")
	if len(got.text) > 0 || got.Header.Get("Content-Type") != "" {
		t.Errorf("%v %q", got.Header, got.text)
	}
}

// TestLongListsToCorrupt has faults act on a list that is longer than what is held back of one.
func TestLongListsToCorrupt(t *testing.T) {
	for effect, share := range map[string]int{"body: truncated": 2, "connection: close_idle": 1} {
		synctest.Test(t, func(t *testing.T) {
			server := mocktest.InMemory(t, mockserver.WithLogger(nil), fault(t, "{effect: {"+effect+"}}"))
			server.Load(fleet(t, 200))
			answer, err := server.Client().Get(server.URL + "/v2/nodes")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			stated, whole := answer.Header.Get("Content-Length"), share == 1
			if stated != fmt.Sprint(share*len(text)) || len(text) < 40_000 || (err == nil) != whole ||
				json.Valid(text) != whole {
				t.Errorf("%s: %d bytes of %s, %v", effect, len(text), stated, err)
			}
		})
	}
}
