package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

const (
	inServiceRegistration = `{"node_id":"gpu-node-1","machine_id":"machine-alpha","address":"http://127.0.0.1:9200",` +
		`"pools":["pool-0"],"capabilities":{"gpu_count":1,"total_vram_mb":24000,"cuda_version":"12.1",` +
		`"gpus":[{"device_id":0,"name":"NVIDIA GeForce RTX 3090","vram_total_bytes":24000000000,` +
		`"compute_capability":"8.6"}]}}`
	inServiceHeartbeat = `{"timestamp":"2026-11-23T10:00:00Z","pools":[{"pool_id":"pool-0","ready":true,` +
		`"draining":false,"slots_free":3,"slots_total":4,"vram_free_bytes":18000000000}]}`
	driftingHeartbeat = `{"timestamp":"2025-10-01T00:00:00Z","pools":[{"pool_id":"pool-0","ready":true,` +
		`"slots_free":4,"slots":8}]}`
)

// The story of the guide: in front of an orchestratord the page says so, shows the nodes by their
// traffic, lists what either side does wrong, and leaves out what is for that one to decide.
func TestInFrontOfAnOrchestratord(t *testing.T) {
	t.Parallel()
	behind := mocktest.Start(t, quiet, mockserver.WithDialect(mockserver.InService))
	clk := clock.PausedAt(time.Date(2026, time.November, 23, 9, 59, 12, 0, time.UTC))
	mock := mocktest.Start(t, quiet, mockserver.WithClock(clk),
		mockserver.WithUpstream(mockserver.Upstream{URL: behind.URL}))
	p := open(t, mock.URL, look{width: 1280, height: 900})
	p.waitText("#upstream", "The mock passes traffic on to "+behind.URL)
	for _, own := range []string{"#clock-toggle", "#cloud-profile", "#heartbeat-interval"} {
		p.wait("!document.querySelector('" + own + "').checkVisibility()")
	}
	p.wait("document.querySelector('#validation').checkVisibility()")

	heartbeat := nodeAPI(t, "heartbeatNode")
	post(t, mock.URL+nodeAPI(t, "registerNode"), inServiceRegistration)
	for range 22 {
		clk.Advance(2 * time.Second)
		post(t, mock.URL+strings.Replace(heartbeat, "{id}", "gpu-node-1", 1), inServiceHeartbeat)
	}
	p.waitText(".node[data-status=Online]", "gpu-node-1")
	post(t, mock.URL+strings.Replace(heartbeat, "{id}", "gpu-node-2", 1), driftingHeartbeat)
	p.waitText("#drift-sorts", "/pools/*/slots")
	p.waitText("#drift-sorts", "text/plain; charset=utf-8")
	if *update { // as the list is only looked at now and then
		p.waitText("#upstream", "which lists 1 node")
	}
	shoot(t, p, "front", "#drift-sorts", frontStaging)
}

// frontStaging gives the orchestratord of the picture the address that it has in the guide.
const frontStaging = `(async () => {
	const behind = document.querySelector('#upstream');
	behind.textContent = behind.textContent.replace(/http:\S+[0-9]/, 'http://127.0.0.1:8081');
	document.activeElement.blur();
	scrollTo(0, 0);
	await new Promise((done) => setTimeout(done, 600));
	behind.textContent = behind.textContent.replace(/http:\S+[0-9]/, 'http://127.0.0.1:8081');
	return true;
})()`

// TestANodeThatIsNotListed marks the row of a node that beats and is not on the list, until it is.
func TestANodeThatIsNotListed(t *testing.T) {
	t.Parallel()
	behind := mocktest.Start(t, quiet, mockserver.WithDialect(mockserver.InService))
	clk := clock.PausedAt(time.Date(2026, time.November, 23, 9, 59, 12, 0, time.UTC))
	mock := mocktest.Start(t, quiet, mockserver.WithClock(clk),
		mockserver.WithUpstream(mockserver.Upstream{URL: behind.URL, Recorded: true}))
	post(t, mock.URL+nodeAPI(t, "registerNode"), inServiceRegistration)
	post(t, mock.URL+strings.Replace(nodeAPI(t, "heartbeatNode"), "{id}", "gpu-node-1", 1), inServiceHeartbeat)
	clk.Advance(time.Second)
	p := open(t, mock.URL, look{width: 1280, height: 900})
	p.waitText(".node[data-status=Online]", "gpu-node-1")
	const marked = "[...document.querySelectorAll('.node .tag')].some((tag) => tag.checkVisibility() && " +
		"tag.textContent === 'not listed')"
	p.wait("!" + marked)
	mock.JudgeList(strings.NewReader(`{"nodes":[],"count":0}`), clk.Now())
	p.wait(marked)
	mock.JudgeList(strings.NewReader(`{"nodes":[{"node_id":"gpu-node-1"}],"count":1}`), clk.Now())
	p.wait("!" + marked)
}
