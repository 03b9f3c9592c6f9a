package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// busy returns a mock about which the page has something to say in each of its parts.
func busy(t *testing.T) *mocktest.Server {
	t.Helper()
	mock := mocktest.Start(t, quiet, mockserver.WithValidation(mockserver.Report))
	load(t, mock, append(ids(3), strings.Repeat("w", 128))...)
	if _, err := controlOf(t, mock).SetNodeStatusWithResponse(t.Context(), "gpu-node-2",
		control.StatusChange{Status: "Offline"}); err != nil {
		t.Fatal(err)
	}
	post(t, mock.URL+nodeAPI(t, "registerNode"),
		`{"node_id":"old-1","address":"http://127.0.0.1:9200","pools":[],"capabilities":{"gpus":[]}}`)
	post(t, mock.URL+nodeAPI(t, "registerNode"), fitting)
	post(t, mock.URL+nodeAPI(t, "registerNode"), `rubbish`)
	return mock
}

// unfold opens all that can be opened.
func (p *tab) unfold() {
	p.t.Helper()
	p.waitText(".node", "gpu-node-3")
	p.waitText(".departure", "/machine_id")
	p.waitText(".drift-sort", "orchestratord in service")
	p.waitText(".entry", "400")
	eval[bool](p, `document.querySelector('#journal-follow').click(),
		document.querySelectorAll('.node-open, .entry[aria-expanded=false]').forEach((e) => e.click()),
		document.querySelectorAll('details').forEach((e) => { e.open = true; }), true`)
	p.waitText(".entry-details", "rubbish")
}

func TestPhone(t *testing.T) {
	t.Parallel()
	p := open(t, busy(t).URL, look{width: 360, height: 740})
	p.waitText(".node", "gpu-node-3")
	if below := eval[float64](p,
		"document.querySelector('.node .pools').getBoundingClientRect().bottom - innerHeight"); below > 0 {
		t.Errorf("the first node ends %v pixels below the first screen", below)
	}
	p.unfold()
	wide := eval[[]string](p, `[...document.querySelectorAll('body *')]
		.filter((e) => e.checkVisibility() && !e.closest('.unseen, .skip, pre, canvas') && e.getBoundingClientRect().right > 361)
		.map((e) => e.outerHTML.slice(0, 120))`)
	if len(wide) > 0 || eval[int](p, "document.documentElement.scrollWidth") > 360 {
		t.Errorf("wider than the screen: %q", wide)
	}
	small := eval[[]string](p, `[...document.querySelectorAll('button')]
		.filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24)
		.map((e) => e.outerHTML.slice(0, 120))`)
	if len(small) > 0 {
		t.Errorf("too small for a finger: %q", small)
	}
}

func TestThemeIsRemembered(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{scheme: "dark"})
	const ground = "getComputedStyle(document.documentElement).backgroundColor"
	dark := eval[string](p, ground)
	p.waitText("#theme", "Light theme")
	p.click("#theme")
	light := eval[string](p, ground)
	if light == dark {
		t.Errorf("the ground stays %s", dark)
	}
	p.do(chromedp.Reload())
	if got := eval[string](p, ground); got != light {
		t.Errorf("after a reload the ground is %s, want %s", got, light)
	}
	eval[bool](p, "localStorage.clear() ?? true") // another mock may have the port of this one later
}

func TestNothingMovesForThoseWhoAskedSo(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	load(t, mock, ids(3)...)
	p := open(t, mock.URL, look{moves: true})
	p.wait("document.getAnimations().length > 0")
	p.show(look{})
	p.do(chromedp.Reload())
	p.waitText(".beat-left", "left")
	if moving := eval[int](p, "document.getAnimations().length"); moving > 0 {
		t.Errorf("%d animations run", moving)
	}
}
