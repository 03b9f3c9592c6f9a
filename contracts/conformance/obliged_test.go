package conformance_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/openapi"
)

// TestZerosOfRequiredFields_heavy has a document require fields of each listed node, and a list with zeros where
// there is nothing.
func TestZerosOfRequiredFields_heavy(t *testing.T) {
	race.Skip(t)
	document := string(openapi.Nodes)
	const reported = "      properties: *capabilities\n"
	for old, with := range map[string]string{
		reported: "      required: [cpu_cores, gpus]\n" + reported,
		"capabilities, status, registered_at_ms]\n": "capabilities, status, registered_at_ms, last_heartbeat_ms]\n",
	} {
		if strings.Count(document, old) != 1 {
			t.Fatalf("the document has not one %q", old)
		}
		document = strings.Replace(document, old, with, 1)
	}
	bubble(t, func(t *testing.T) {
		mock := newMock(t, mockserver.WithTokens(token))
		conforms(t, zeroing(mock), conformance.Options{
			Token: token, Document: []byte(document), Level: conformance.Document, Only: []string{"lives", "coverage"},
		})
	})
}

// zeroing lists zeros for what is not there.
func zeroing(mock http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		mock.ServeHTTP(answer, r)
		nodes := strings.Split(answer.Body.String(), `"capabilities":{`)
		for i, node := range nodes[1:] {
			for field, zero := range map[string]string{"cpu_cores": "0", "gpus": "[]"} {
				if !strings.Contains(node, `"`+field+`":`) {
					node = `"` + field + `":` + zero + "," + node
				}
			}
			if !strings.Contains(node, `"last_heartbeat_ms":`) {
				node = strings.Replace(node, `"registered_at_ms":`, `"last_heartbeat_ms":0,"registered_at_ms":`, 1)
			}
			nodes[i+1] = node
		}
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, strings.Join(nodes, `"capabilities":{`))
	})
}
