package browser_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// Whatever a node puts into its names is shown as it is, and does nothing.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const (
		image   = `<img src=x onerror="window.pwned=1;alert(1)">`
		script  = `</script><script>window.pwned=1</script>`
		quotes  = `"><svg onload=window.pwned=1>' onmouseover='window.pwned=1`
		link    = `javascript:window.pwned=1`
		turned  = "\u202egnp.exe \u0000\u001b[31m {{7*7}} ${7*7}"
		selects = `#x"] , [data-x`
	)
	mock := mocktest.Start(t, quiet, mockserver.WithValidation(mockserver.Off))
	p := open(t, mock.URL, look{})
	for _, id := range []string{"gpu-node-1", image, quotes, selects, "__proto__", strings.Repeat("W", 300)} {
		body, err := json.Marshal(map[string]any{
			"node_id": id, "machine_id": script, "address": link, "version": quotes, "pools": []string{image, turned},
			"capabilities": map[string]any{
				"gpu_count": 1, "total_vram_mb": 1, "cuda_version": script,
				"gpus": []any{
					map[string]any{"device_id": 0, "name": image, "vram_total_bytes": 1, "compute_capability": quotes},
				},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		post(t, mock.URL+nodeAPI(t, "registerNode"), string(body),
			"User-Agent", image, "X-Correlation-Id", strings.TrimSpace(quotes), "X-"+strings.Repeat("y", 40), script)
	}
	p.wait(
		"document.querySelectorAll('.node').length === 6 && " +
			"document.querySelectorAll('[data-kind=exchange]').length === 6")
	eval[bool](p, "document.querySelectorAll('.node-open, .entry').forEach((e) => e.click()), true")
	p.waitText(".facts", image)
	p.waitText(".side[aria-label=Request]", script)
	p.click(".node:first-child .cable")
	p.click("#timeline-words > summary")
	p.waitText("#timeline-list", "gpu-node-1")
	if eval[bool](p, "'pwned' in window || document.querySelectorAll('img, iframe, object, embed').length > 0") {
		t.Error("a name has become part of the page")
	}
	if links := eval[[]string](p,
		"[...document.querySelectorAll('a')].map((e) => e.protocol)"); strings.Contains(strings.Join(links,
		" "), "javascript") {
		t.Error("a name has become a link")
	}
}
