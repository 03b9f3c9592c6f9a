//go:build unix

package mockserver_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// BenchmarkInFront measures what a server costs in front of an orchestratord, beside a plain reverse
// proxy of the standard library. In turns, it sends heartbeats directly, through the one and through
// the other. Of the processor time it reports what each takes beyond the direct way.
func BenchmarkInFront(b *testing.B) {
	if runtime.GOMAXPROCS(0) == 1 {
		b.Skip("on one processor, the latency is that of the client's turns")
	}
	const heartbeats = 500 // of a round
	ways := newWays(b)
	for b.Loop() {
		for _, w := range ways {
			if err := w.round(heartbeats); err != nil {
				b.Fatalf("%s: %v", w.name, err)
			}
		}
	}
	direct, plain, front := ways[0], ways[1], ways[2]
	own := func(w *way) float64 { return float64(median(w.cpu) - median(direct.cpu)) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(own(plain)/1e3, "plain-cpu-us/beat")
	b.ReportMetric(own(front)/1e3, "front-cpu-us/beat")
	b.ReportMetric(own(front)/own(plain), "front/plain-cpu")
	b.ReportMetric(float64((median(front.latency) - median(plain.latency)).Microseconds()), "p50-us-longer")
}

// way is one way to orchestratord.
type way struct {
	name, url string
	cpu       []time.Duration // of a heartbeat, by round
	latency   []time.Duration
}

// newWays returns three ways to an orchestratord: directly, through a plain proxy, and through a server.
func newWays(b *testing.B) []*way {
	b.Helper()
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		b.Cleanup(server.Close)
		return server.URL
	}
	orchestratord := serve(http.HandlerFunc(confirm))
	where, err := url.Parse(orchestratord)
	if err != nil {
		b.Fatal(err)
	}
	mock, err := mockserver.New(mockserver.WithUpstream(mockserver.Upstream{URL: orchestratord}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(mock.Close)
	plain := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1024},
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(where) },
	}
	return []*way{
		{name: "direct", url: orchestratord}, {name: "plain", url: serve(plain)}, {name: "front", url: serve(mock)},
	}
}

func confirm(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"success":true,"next_heartbeat_ms":10000}`)
}

// round sends heartbeats, one after the other.
func (w *way) round(heartbeats int) error {
	before := processorTime()
	for range heartbeats {
		began := time.Now()
		response, err := http.Post(w.url+"/v2/nodes/gpu-node-1/heartbeat", "application/json",
			strings.NewReader(rustHeartbeat))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			return fmt.Errorf("answered %s, %w", response.Status, err)
		}
		w.latency = append(w.latency, time.Since(began))
	}
	w.cpu = append(w.cpu, (processorTime()-before)/time.Duration(heartbeats))
	return nil
}

// processorTime returns what the process has taken so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2].Round(100 * time.Nanosecond)
}
