package browser_test

import (
	"context"
	"flag"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

var crowdFor = flag.Duration("crowd", 0,
	"measure the page for this `long` before a thousand nodes with a heartbeat a second")

func TestThousandNodes(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	load(t, mock, ids(1000)...)
	p := open(t, mock.URL, look{})
	p.waitText("#node-range", "1–25 of 1,000")
	if rows := eval[int](p, "document.querySelectorAll('.node').length"); rows != 25 {
		t.Errorf("%d rows are made for 1000 nodes, want a page of 25", rows)
	}
	if tallest := eval[float64](p,
		"Math.max(...[...document.querySelectorAll('.node')].map((e) => e.offsetHeight))"); tallest > 45 {
		t.Errorf("a row is %v pixels high, want one line", tallest)
	}
	p.click("#node-next")
	p.waitText(".node-id", "gpu-node-26")
	p.click("#node-glob")
	p.press("-", "7", "7", "7")
	p.wait("[...document.querySelectorAll('.node-id')].map((e) => e.textContent).join() === 'gpu-node-777'")
}

// With -crowd it measures, which says little on a machine that is busy otherwise.
func TestPageKeepsUpWithACrowd(t *testing.T) {
	if *crowdFor == 0 {
		t.Skip("measures only when asked to, as by -crowd 1m")
	}
	mock := mocktest.Start(t, quiet, mockserver.WithHeartbeatInterval(time.Second),
		mockserver.WithNodeTimeout(3*time.Second))
	nodes := ids(1000)
	load(t, mock, nodes...)
	setSpeed(t, mock, 1)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { beatAll(ctx, mock, nodes) })
	defer running.Wait()
	defer stop()

	p := open(t, mock.URL, look{})
	p.waitText("#node-range", "of 1,000")
	eval[bool](p, `window.slow = [], window.frames_ = 0,
		new PerformanceObserver((l) => l.getEntries().forEach((e) => slow.push(Math.round(e.duration)))).observe({type: 'longtask'}),
		requestAnimationFrame(function f() { window.frames_++; requestAnimationFrame(f) }), true`)
	call(p, performance.Enable, performance.EnableParams{})
	for began := time.Now(); time.Since(began) < *crowdFor; {
		frames := eval[int](p, "window.frames_")
		time.Sleep(10 * time.Second)
		clicked := time.Now()
		p.click("#node-next:not(:disabled), #node-prev")
		answered := time.Since(clicked)
		metrics := map[string]float64{}
		for _, metric := range call(p, performance.GetMetrics, cdp.Empty{}).Metrics {
			metrics[metric.Name] = metric.Value
		}
		t.Logf("%5.1fs: heap %.1f MB, %.0f elements, %d frames/s, a click took %s, long tasks %v, script %.1fs",
			time.Since(began).Seconds(),
			metrics["JSHeapUsedSize"]/1e6, metrics["Nodes"], (eval[int](p, "window.frames_")-frames)/10,
			answered.Round(time.Millisecond),
			eval[[]int](p, "slow.splice(0)"), metrics["TaskDuration"])
	}
	if words := eval[string](p, "document.querySelector('#tally [data-status=Online]').innerText"); words == "" {
		t.Error("the page shows no count")
	}
}

// beatAll sends a heartbeat of each node a second, until the context ends.
func beatAll(ctx context.Context, mock *mocktest.Server, nodes []string) {
	transport := &http.Transport{MaxIdleConnsPerHost: 16, MaxConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	client, err := nodeapi.NewClient(mock.URL, nodeapi.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return
	}
	tick := time.NewTicker(time.Second / time.Duration(len(nodes)))
	defer tick.Stop()
	var sending sync.WaitGroup
	defer sending.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			id := nodes[i%len(nodes)]
			sending.Go(func() { beat(ctx, client, id, now, int32(i)%5) })
		}
	}
}

func beat(ctx context.Context, client *nodeapi.Client, id string, now time.Time, free int32) {
	total, vram := int32(4), int64(free)*4_000_000_000
	answer, err := client.HeartbeatNode(ctx, id, &nodeapi.HeartbeatNodeParams{}, nodeapi.HeartbeatRequest{
		Timestamp: now,
		Pools: []nodeapi.PoolStatus{
			{PoolID: "pool-0", Ready: true, SlotsFree: free, SlotsTotal: &total, VRAMFreeBytes: &vram},
		},
	})
	if err == nil {
		_ = answer.Body.Close()
	}
}
