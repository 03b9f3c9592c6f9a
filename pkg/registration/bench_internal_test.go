package registration

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// instant answers every request at once with a good answer.
type instant struct{}

func (instant) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	const answer = `{"success":true,"next_heartbeat_ms":10000,"message":"","node_id":"gpu-node-1"}`
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{},
		Body:          io.NopCloser(strings.NewReader(answer)),
		ContentLength: int64(len(answer)),
		Request:       r,
	}, nil
}

func benchNode(b *testing.B) *Node {
	node, err := New(Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		OrchestratordURL: "http://orchestratord:8080", Pools: []string{"pool-0"},
		Capabilities: Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		APIToken:     StaticToken("a-token-of-more-than-thirty-two-bytes"),
		HTTPClient:   &http.Client{Transport: instant{}},
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	return node
}

func onePool(context.Context) ([]PoolStatus, error) {
	return []PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
}

// BenchmarkBeat is one heartbeat of a node that is well, without the network.
func BenchmarkBeat(b *testing.B) {
	node := benchNode(b)
	pools := newSampler(b.Context(), node, onePool)
	defer pools.end()
	node.attempt(b.Context(), registering, nil)
	b.ReportAllocs()
	for b.Loop() {
		if o := node.attempt(b.Context(), beating, pools); o.err != nil {
			b.Fatal(o.err)
		}
	}
}

// BenchmarkIdle is what a thousand registered nodes hold between heartbeats that
// share one transport, once each has sent its first.
func BenchmarkIdle(b *testing.B) {
	const nodes = 1000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		goroutines := runtime.NumGoroutine()

		ctx := b.Context()
		fleet := make([]*Node, nodes)
		for i := range fleet {
			fleet[i] = benchNode(b)
			fleet[i].config.jitter = func() float64 { return 0 } // beats at once, and then after 10 s
			if err := fleet[i].Register(ctx); err != nil {
				b.Fatal(err)
			}
			if err := fleet[i].StartHeartbeat(ctx, onePool); err != nil {
				b.Fatal(err)
			}
		}
		for _, node := range fleet {
			for node.Status().State != StateOnline {
				runtime.Gosched()
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(int64(after.HeapAlloc-before.HeapAlloc))/nodes, "heap-B/node")
		b.ReportMetric(float64(int64(after.StackInuse-before.StackInuse))/nodes, "stack-B/node")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/nodes, "goroutines/node")
		for _, node := range fleet {
			if err := node.Stop(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
}
