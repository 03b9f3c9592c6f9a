package mockserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

// BenchmarkHeartbeat measures a heartbeat without the network, and how much of it the checks of
// request and answer take.
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

// BenchmarkFleet measures a heartbeat among few nodes and among many, which should cost
// about the same, and what a node takes in memory once it has sent one.
func BenchmarkFleet(b *testing.B) {
	for _, count := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("nodes=%d", count), func(b *testing.B) {
			server, err := mockserver.New()
			if err != nil {
				b.Fatal(err)
			}
			defer server.Close()
			send := func(path, body string) {
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				server.ServeHTTP(httptest.NewRecorder(), r)
			}
			before := heap()
			paths := make([]string, count)
			for i := range paths {
				id := fmt.Sprintf("gpu-node-%d", i)
				paths[i] = "/v2/nodes/" + id + "/heartbeat"
				send("/v2/nodes/register", strings.Replace(briefRegistration, "gpu-node-1", id, 1))
				send(paths[i], briefHeartbeat)
			}
			held := float64(heap()-before) / float64(count)
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 7919) % count {
				send(paths[i], briefHeartbeat)
			}
			b.ReportMetric(held, "B/node")
		})
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
