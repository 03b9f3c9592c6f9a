package mockserver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
)

// FuzzControlBodies sends made-up bodies to every operation of the control API that takes
// one. None is a fault of the server's.
func FuzzControlBodies(f *testing.F) {
	operations := map[string]string{
		"/__mock/settings": http.MethodPatch, "/__mock/nodes": http.MethodPut, "/__mock/faults": http.MethodPut,
		"/__mock/faults/moody": http.MethodPut, "/__mock/faults/flaky": http.MethodPatch,
		"/__mock/clock":         http.MethodPatch,
		"/__mock/clock/advance": http.MethodPost, "/__mock/expectations": http.MethodPost,
		"/__mock/nodes/gpu-node-1/status": http.MethodPut,
	}
	for _, request := range walked {
		f.Add(request.body)
	}
	f.Add(`{"node":"[","within_ms":1}`)
	f.Add(`{"tokens":[""],"node_timeout_ms":1}`)
	f.Add(`{"speed":1e-3,"running":true}`)
	f.Add("{\"\\n\":0,\"" + strings.Repeat("\\n", 200) + "\":0}")
	f.Add(`{"faults":{"` + strings.Repeat("a", 600) + `":0,"` + strings.Repeat(`\n`, 100) + `":0}}`)
	server := newFuzzed(f)
	f.Fuzz(func(t *testing.T, body string) {
		renew(t, server)
		for path, method := range operations {
			r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			fuzzedAnswer(t, server, r)
		}
	})
}

// FuzzJournalFilters asks for entries and nodes by made-up filters.
func FuzzJournalFilters(f *testing.F) {
	f.Add("gpu-*", "4xx", "heartbeatNode", "0")
	f.Add("[", "none", "", "-1")
	f.Add(`\`, "\x00", "a", "9223372036854775808")
	server := newFuzzed(f)
	f.Fuzz(func(t *testing.T, node, answered, operation, after string) {
		renew(t, server)
		query := url.Values{"node": {node}, "answered": {answered}, "operation": {operation}, "after": {after}}.Encode()
		for _, path := range []string{"/__mock/journal?", "/__mock/stream?", "/__mock/nodes?"} {
			fuzzedAnswer(t, server, httptest.NewRequest(http.MethodGet, "http://localhost"+path+query, nil))
		}
		query = url.Values{"node": {node}}.Encode()
		fuzzedAnswer(t, server, httptest.NewRequest(http.MethodGet, "http://localhost/__mock/journal?"+query, nil))
	})
}

// newFuzzed starts the server of a target. It costs more than what it is then asked.
func newFuzzed(f *testing.F) *mockserver.Server {
	server, err := mockserver.New(mockserver.WithClock(clock.PausedAt(time.UnixMilli(startMs))))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(server.Close)
	return server
}

// renew has a server know gpu-node-1 and nothing else, whatever it was asked before.
func renew(t *testing.T, server *mockserver.Server) {
	fuzzedAnswer(t, server, httptest.NewRequest(http.MethodPost, "http://localhost/__mock/reset", nil))
	register := httptest.NewRequest(http.MethodPost, "http://localhost/v2/nodes/register",
		strings.NewReader(briefRegistration))
	register.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, register)
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
}

// fuzzedAnswer sends a request whose client has gone already, so that nothing waits for it.
func fuzzedAnswer(t *testing.T, server *mockserver.Server, r *http.Request) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, r.WithContext(gone))
	if answer.Code >= http.StatusInternalServerError {
		t.Errorf("%s %s: status %d, %s", r.Method, r.URL, answer.Code, answer.Body)
	}
}
