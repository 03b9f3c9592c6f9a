package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Whatever the node timeout and the width of the page, the parts of a row stand beside each other.
// Half the timeout has passed, so that the words for it are as long as they get.
func TestPartsOfARowDoNotOverlap(t *testing.T) {
	t.Parallel()
	clk := clock.PausedAt(time.Date(2026, time.November, 23, 9, 59, 12, 0, time.UTC))
	mock := mocktest.Start(t, quiet, mockserver.WithClock(clk))
	p := open(t, mock.URL, look{})
	for _, many := range []int{3, 23} {
		for _, given := range []struct {
			timeout time.Duration
			left    string
		}{
			{30 * time.Second, "15 s"},
			{4*time.Minute - 2*time.Second, "119 s"},
			{4*time.Hour - 2*time.Minute, "119 min"},
			{7 * 24 * time.Hour, "3 d"},
		} {
			setTimeout(t, mock, given.timeout)
			loadAll(t, mock, many)
			clk.Advance(given.timeout / 2)
			p.waitText("#nodes-count", fmt.Sprint(many+1))
			p.waitText(".beat[data-stage=late]", "late, "+given.left+" left")
			for _, width := range []int64{1920, 1600, 1280, 1240, 1000, 700, 390, 360} {
				p.show(look{width: width, height: 100}) // what is out of sight is not painted
				if over := eval[[]string](p, overlaps); len(over) > 0 {
					t.Errorf("%d nodes, %s left, %d pixels wide: %q", many, given.left, width, over[:min(len(over), 4)])
				}
			}
		}
	}
}

// setTimeout sets after how long without a heartbeat a mock takes a node for Offline.
func setTimeout(t *testing.T, mock *mocktest.Server, timeout time.Duration) {
	t.Helper()
	answer, err := controlOf(t, mock).ChangeSettingsWithResponse(t.Context(),
		control.SettingsChange{NodeTimeoutMs: new(timeout.Milliseconds())})
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode() != http.StatusOK {
		t.Fatalf("the timeout is not set: %s %s", answer.Status(), answer.Body)
	}
}

// loadAll gives a mock nodes of several statuses, and one whose name is as long as may be.
func loadAll(t *testing.T, mock *mocktest.Server, many int) {
	t.Helper()
	load(t, mock, append(ids(many), strings.Repeat("w", 128))...)
	for id, status := range map[string]nodeapi.NodeStatus{
		"gpu-node-1": nodeapi.NodeStatusOffline, "gpu-node-2": nodeapi.NodeStatusDraining,
	} {
		if _, err := controlOf(t, mock).SetNodeStatusWithResponse(t.Context(), id,
			control.StatusChange{Status: status}); err != nil {
			t.Fatal(err)
		}
	}
}

// overlaps lists the words of rows that lie over each other or over a button, as far as they are seen.
const overlaps = `[...document.querySelectorAll('.node')].flatMap((row) => {
	const seen = (box, element) => {
		for (let e = element; e !== row; e = e.parentElement) {
			if (getComputedStyle(e).overflow === 'visible') continue;
			const { left, right, top, bottom } = e.getBoundingClientRect();
			box = { left: Math.max(box.left, left), right: Math.min(box.right, right),
				top: Math.max(box.top, top), bottom: Math.min(box.bottom, bottom) };
		}
		return box;
	};
	const parts = [...row.querySelectorAll('*')].filter((e) => e.checkVisibility()).flatMap((e) => {
		if (e.matches('.cable')) return [{ e, words: 'the button', box: e.getBoundingClientRect() }];
		if (e.closest('.cable')) return [];
		return [...e.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()).flatMap((n) => {
			const range = document.createRange();
			range.selectNode(n);
			return [...range.getClientRects()].map((box) => ({ e, words: n.data, box: seen(box, e) }));
		});
	}).filter(({ box }) => box.right - box.left > 1);
	return parts.flatMap((a, i) => parts.slice(i + 1)
		.filter(({ e, box }) => e !== a.e && box.left < a.box.right && a.box.left < box.right
			&& box.top < a.box.bottom - 2 && a.box.top < box.bottom - 2)
		.map((b) => a.words + ' over ' + b.words));
})`
