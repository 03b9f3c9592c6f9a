package mockserver_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

func FuzzRegister(f *testing.F) {
	for _, body := range []string{
		briefRegistration, fullRegistration, rustRegistration, "", "{}", "null", `{"NODE_ID": 1e400}`,
		strings.Replace(briefRegistration, "48000", "4.8e4", 1), strings.Repeat("[", 10_001),
	} {
		f.Add(body, "application/json", "Bearer secret", "id")
	}
	f.Add(
		`{"node_id": "n", "pools": ["a", 1, "a"], "capabilities": {"gpus": [{}, {"name": 0}], "x\u0000": 0}, `+
			`"version": ""}`, "application/json", "Bearer secret", "id")
	f.Add(briefRegistration, "text/plain; charset=utf-8", "", "-")
	fuzz(f, func(body, _ string) (string, string, string) { return "POST", "/v2/nodes/register", body })
}

func FuzzHeartbeat(f *testing.F) {
	for _, body := range []string{
		briefHeartbeat, fullHeartbeat, rustHeartbeat, drainingHeartbeat, "", "[]",
		`{"timestamp": "2016-12-31T23:59:60Z", "pools": []}`,
		strings.Replace(briefHeartbeat, "4", "1e0", 1),
	} {
		f.Add(body, "application/json", "Bearer secret", "gpu-node-1")
	}
	f.Add(`{"pools": [{"pool_id": "a", "slots_free": 1e9, "Ready": {}}, {}, null]}`, "application/json",
		"Bearer secret", "gpu-node-1")
	f.Add(briefHeartbeat, "application/json", "Bearer secret", "../")
	fuzz(f, func(body, id string) (string, string, string) {
		return "POST", "/v2/nodes/" + url.PathEscape(id) + "/heartbeat", body
	})
}

func FuzzDeregister(f *testing.F) {
	for _, id := range []string{"gpu-node-1", "register", "", "a,b", "%", "\x00", "é", "a/b", "."} {
		f.Add("", "", "Bearer secret", id)
	}
	fuzz(f, func(body, id string) (string, string, string) {
		return "DELETE", "/v2/nodes/" + url.PathEscape(id), body
	})
}

func FuzzList(f *testing.F) {
	f.Add("", "", "Bearer secret", "id")
	f.Add("{}", "application/json", "bearer\tsecret", "a b")
	fuzz(f, func(body, _ string) (string, string, string) { return "GET", "/v2/nodes", body })
}

// fuzz sends made-up requests of one operation to servers that know gpu-node-1. The
// last string is the id of the node and of the correlation. No answer may be a 500 or
// break the document, which the client checks, nor may the list after it, and a refused
// request changes nothing.
func fuzz(f *testing.F, request func(body, id string) (method, path, sent string)) {
	var servers []*mockserver.Server
	for _, mode := range []mockserver.Validation{mockserver.Strict, mockserver.Report} {
		server, err := mockserver.New(
			mockserver.WithTokens("secret"),
			mockserver.WithClock(clock.PausedAt(time.Unix(1_000_000_000, 0))),
			mockserver.WithValidation(mode),
		)
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(server.Close)
		servers = append(servers, server)
	}
	f.Fuzz(func(t *testing.T, body, contentType, authorization, id string) {
		method, path, body := request(body, id)
		for _, server := range servers {
			fuzzOne(t, server, method, path, body, contentType, authorization, id)
		}
	})
}

func fuzzOne(t *testing.T, server *mockserver.Server, method, path, body, contentType, authorization, id string) {
	client := newClient(t, "http://orchestratord", mocktest.Transport(server))
	client.do("POST", "/v2/nodes/register", briefRegistration, "Content-Type", "application/json", "Authorization",
		"Bearer secret")
	before := server.Nodes()

	r, err := http.NewRequestWithContext(t.Context(), method, client.url+path, strings.NewReader(body))
	if err != nil {
		t.Skip("no client could send this:", err)
	}
	r.Header["Content-Type"] = []string{contentType}
	r.Header["Authorization"] = []string{authorization}
	r.Header["X-Correlation-Id"] = []string{id}
	got := client.send(r)

	if got.StatusCode >= 500 {
		t.Errorf("status %d: %s", got.StatusCode, got.text)
	}
	if strings.Contains(string(got.text), "can't decode") {
		t.Errorf("the validator takes what the types cannot hold: %s", got.text)
	}
	if got.StatusCode >= 400 && !cmp.Equal(before, server.Nodes()) {
		t.Errorf("status %d, and the registry has changed:\n%s", got.StatusCode, cmp.Diff(before, server.Nodes()))
	}
	client.do("GET", "/v2/nodes", "", "Authorization", "Bearer secret").expect(t, http.StatusOK)
	for _, node := range server.Nodes() {
		client.do("DELETE", "/v2/nodes/"+node.Registration.NodeID, "", "Authorization", "Bearer secret").expect(t,
			http.StatusNoContent)
	}
}
