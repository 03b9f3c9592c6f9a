package mockserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

// BenchmarkHeartbeat measures a heartbeat without the network, and what of it is spent
// on holding request and answer to the document.
func BenchmarkHeartbeat(b *testing.B) {
	for _, test := range []struct {
		name    string
		options []mockserver.Option
	}{
		{"validation=on", nil},
		{"validation=off", []mockserver.Option{mockserver.WithValidation(mockserver.Off)}},
	} {
		b.Run(test.name, func(b *testing.B) {
			server, err := mockserver.New(test.options...)
			if err != nil {
				b.Fatal(err)
			}
			defer server.Close()
			send := func(path, body string) {
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("X-Correlation-Id", "4f1c9d2e-7a30-4b8e-9c55-0d6f1a2b3c4d")
				w := httptest.NewRecorder()
				server.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("status %d: %s", w.Code, w.Body)
				}
			}
			send("/v2/nodes/register", briefRegistration)
			b.ReportAllocs()
			for b.Loop() {
				send("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
			}
		})
	}
}
