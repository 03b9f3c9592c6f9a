package registration

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
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

func benchNode(tb testing.TB, client *http.Client) *Node {
	node, err := New(Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		OrchestratordURL: "http://orchestratord:8080", Pools: []string{"pool-0"},
		Capabilities: Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		APIToken:     StaticToken("a-token-of-more-than-thirty-two-bytes"),
		HTTPClient:   client,
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return node
}

func onePool(context.Context) ([]PoolStatus, error) {
	return []PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
}

// BenchmarkBeat is one heartbeat of a node that is well, without the network.
func BenchmarkBeat(b *testing.B) {
	node := benchNode(b, &http.Client{Transport: instant{}})
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
// share one client, once each has sent its first.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		held := heldByIdleNodes(b)
		b.ReportMetric(held.heap, "heap-B/node")
		b.ReportMetric(held.stack, "stack-B/node")
		b.ReportMetric(held.goroutines, "goroutines/node")
	}
}

// The least of three counts: what the runtime keeps for itself comes on top, now and then.
func TestAnIdleNodeIsSmall_heavy(t *testing.T) {
	race.Skip(t)
	const most = 3000 // bytes
	least := math.Inf(1)
	for try := 0; try < 3 && least >= most; try++ {
		least = min(least, heldByIdleNodes(t).heap)
	}
	if least >= most {
		t.Errorf("a node holds %.0f bytes between two heartbeats, want less than %d", least, most)
	}
}

// idle is what a node holds between two heartbeats: bytes, and goroutines.
type idle struct{ heap, stack, goroutines float64 }

func heldByIdleNodes(tb testing.TB) idle {
	const nodes = 1000
	stop(tb, idleNodes(tb, 1)) // what the first node makes for all
	before := collected()
	goroutines := runtime.NumGoroutine()
	fleet := idleNodes(tb, nodes)
	after := collected()
	held := idle{
		heap:       float64(int64(after.HeapAlloc-before.HeapAlloc)) / nodes,
		stack:      float64(int64(after.StackInuse-before.StackInuse)) / nodes,
		goroutines: float64(runtime.NumGoroutine()-goroutines) / nodes,
	}
	stop(tb, fleet)
	return held
}

// idleNodes starts nodes one by one: goroutines that run at once would be kept for others by the runtime.
func idleNodes(tb testing.TB, count int) []*Node {
	ctx, client := tb.Context(), &http.Client{Transport: instant{}}
	fleet := make([]*Node, count)
	for i := range fleet {
		node := benchNode(tb, client)
		node.config.jitter = func() float64 { return 0 } // beats at once, and then after 10 s
		if err := node.Register(ctx); err != nil {
			tb.Fatal(err)
		}
		if err := node.StartHeartbeat(ctx, onePool); err != nil {
			tb.Fatal(err)
		}
		busy := node.life.pulse.Load().busy
		for node.Status().State != StateOnline || len(busy) > 0 {
			runtime.Gosched()
		}
		fleet[i] = node
	}
	return fleet
}

func stop(tb testing.TB, fleet []*Node) {
	for _, node := range fleet {
		if err := node.Stop(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
}

// collected is the state of the memory without garbage. The second collection takes what pools
// have kept from the first.
func collected() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
