package browser_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

const (
	escape = kb.Escape
	end    = kb.End
	up     = kb.ArrowUp
	down   = kb.ArrowDown
)

// selectAll selects what is in the field that has the focus.
var selectAll = chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.activeElement.select(), true"))
	return err
})

// All that the mouse can do, the keyboard can.
func TestKeyboardAlone(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	load(t, mock, ids(3)...)
	p := open(t, mock.URL, look{})
	p.waitText(".node", "gpu-node-3")
	p.press(kb.Tab)
	p.wait("document.activeElement.matches('.skip') && document.activeElement.getBoundingClientRect().top >= 0")
	p.press("\r", kb.Tab, kb.Tab, kb.Tab, kb.Tab)
	p.wait("document.activeElement.matches('.node-open')")
	p.press(down)
	p.wait("document.activeElement.textContent === 'gpu-node-2'")
	p.press("\r")
	p.waitText(".node-details", "192.168.1.100")
	p.press(kb.Tab)
	p.wait("document.activeElement.matches('.node:nth-child(2) .cable')")
	p.press(" ")
	p.waitText(".node[data-pulled]", "gpu-node-2")

	// Nothing that can be operated is out of the reach of Tab, or shows no focus.
	missed := eval[[]string](p, `(() => {
		const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')];
		return stops.filter((e) => e.checkVisibility() && !e.disabled && e.tabIndex < 0).map((e) => e.outerHTML);
	})()`)
	if len(missed) > 0 {
		t.Errorf("out of the reach of the keyboard: %q", missed)
	}
}
