package browser_test

import (
	"testing"

	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

const fitting = `{"node_id":"gpu-node-1","machine_id":"machine-1","address":"http://127.0.0.1:9200",` +
	`"pools":["pool-0"],"capabilities":{"gpu_count":1,"total_vram_mb":24000,"cuda_version":"12.1"}}`

func TestEntryOpens(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{})
	p.waitText("#journal-empty", "Nothing has happened yet")
	post(t, mock.URL+nodeAPI(t, "registerNode"), fitting, "X-Correlation-Id", "find-me-1", "Authorization",
		"Bearer hidden")
	p.waitText(".entry", "register")
	p.click("[data-kind=exchange] .entry")
	p.waitText(".side[aria-label=Request] pre", `"total_vram_mb": 24000`)
	p.waitText(".side[aria-label=Answer] pre", `"success": true`)
	p.waitText(".entry-details", "find-me-1")
	if eval[bool](p, "document.body.innerText.includes('hidden')") {
		t.Error("the page shows a token")
	}
	p.waitText("#journal-follow", "Follow")

	// By keyboard: Escape closes it, and the arrows go through the entries.
	p.press(escape)
	p.wait("document.querySelector('.entry-details').hidden")
	p.press(end)
	p.wait("document.activeElement === [...document.querySelectorAll('.entry')].at(-1)")
	p.press(up)
	p.wait("document.activeElement === [...document.querySelectorAll('.entry')].at(-2)")
	p.press("\r")
	p.wait("document.activeElement.getAttribute('aria-expanded') === 'true'")
}

func TestJournalIsFiltered(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{})
	post(t, mock.URL+nodeAPI(t, "registerNode"), fitting)
	post(t, mock.URL+nodeAPI(t, "registerNode"), `{}`)
	p.waitText(".answer", "422")
	p.waitText(".answer", "200")
	p.click("#journal-answered")
	p.press("4", "x", "x")
	p.wait("[...document.querySelectorAll('.answer')].map((e) => e.textContent).join() === '422'")
	p.press("y")
	p.waitText("#journal-notice", "answered")
}

// An answer that is still on its way when a reader stops following does not move the entries away
// from under the eyes, but a filter is heeded.
func TestJournalStandsStill(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{})
	post(t, mock.URL+nodeAPI(t, "registerNode"), fitting)
	p.waitText(".answer", "200")
	eval[bool](p, `(() => {
		const { fetch } = window;
		window.gate = Promise.withResolvers();
		window.fetch = async (address, options) => {
			const answer = await fetch(address, options);
			if (String(address).includes('__mock/journal?')) {
				window.held = true;
				await window.gate.promise;
			}
			return answer;
		};
		return true;
	})()`)
	post(t, mock.URL+nodeAPI(t, "registerNode"), `{}`)
	p.wait("window.held")
	p.click("#journal-follow")
	eval[bool](p, "window.gate.resolve() ?? true")
	p.waitText("#journal-follow", "newer")
	if eval[bool](p, "[...document.querySelectorAll('.answer')].some((e) => e.textContent === '422')") {
		t.Error("a reader who has stopped following sees a new entry")
	}
	p.click("#journal-answered")
	p.press("4", "x", "x")
	p.wait("[...document.querySelectorAll('.answer')].map((e) => e.textContent).join() === '422'")
}
