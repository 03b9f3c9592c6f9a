package browser_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// The story of the README: a node appears, its cable is pulled, it goes Offline, and when
// the cable is back, so is the node.
func TestPulledCable(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{moves: true})
	p.waitText("#node-empty", "nodesim run --orchestratord-url "+mock.URL)

	startNode(t, mock, "gpu-node-1")
	p.waitText(".node[data-status=Online]", "gpu-node-1")
	p.waitText(".node", "3/4 slots")
	p.waitText("#tally [data-status=Online]", "1")

	p.click(".cable")
	p.waitText(".node[data-pulled] .cable", "Plug in")
	p.waitText("#fault-list", "the cable of gpu-node-1 is pulled")
	p.waitText("#journal-list", "no answer")
	p.click("#clock-30")
	p.waitText(".node", "Offline")
	p.waitText("#tally [data-status=Offline]", "1")
	p.waitText("#news", "gpu-node-1 is Offline")

	p.click(".cable")
	p.waitText(".node[data-status=Online] .cable", "Pull cable")
	p.click(".node-open")
	// On a busy machine the node may register again before it beats, and then it is Registering in between.
	p.wait("document.querySelector('.history').textContent.includes('Online→Offline')")
	p.wait("document.querySelector('.facts').innerText.includes('NVIDIA GeForce RTX 3090')")
}

// The commands that start a node work as they stand, or are not there.
func TestCommandsFitTheMock(t *testing.T) {
	t.Parallel()
	guarded := mocktest.Start(t, quiet, mockserver.WithTokens("a-token-of-nodes"))
	p := open(t, guarded.URL, look{})
	p.waitText("#node-empty", "nodesim run --orchestratord-url "+guarded.URL+` --token "$`+registration.EnvAPIToken+`"`)
	p.waitText("#node-empty", `-H "Authorization: Bearer $`+registration.EnvAPIToken+`"`)

	secured := httptest.NewTLSServer(guarded.Server)
	t.Cleanup(secured.Close)
	p = open(t, secured.URL, look{})
	p.waitText("#node-empty", "--tls-dev")
	p.waitText("#node-empty", `--token "$`+registration.EnvAPIToken+`"`)
	if words := eval[string](p, "document.querySelector('#node-empty').innerText"); strings.Contains(words,
		secured.URL) {
		t.Errorf("the page shows a command that trusts no certificate: %s", words)
	}
}

func TestNodeActions(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	load(t, mock, ids(3)...)
	p := open(t, mock.URL, look{})
	p.waitText(".node", "gpu-node-3")
	p.click(".node:nth-child(2) .node-open")
	p.clickWords(".node:nth-child(2) button", "Set Offline")
	p.waitText(".node[data-status=Offline]", "gpu-node-2")
	p.clickWords(".node:nth-child(2) button", "Forget")
	p.wait("document.querySelectorAll('.node').length === 2")
	p.waitText("#nodes-count", "2")
}

func TestNodesAreFilteredAndSorted(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	load(t, mock, ids(30)...)
	p := open(t, mock.URL, look{})
	const shown = "[...document.querySelectorAll('.node-id')].map((e) => e.textContent).join(' ')"
	p.waitText("#node-range", "1–25 of 30")
	p.click("#node-next")
	p.wait(shown + " === 'gpu-node-26 gpu-node-27 gpu-node-28 gpu-node-29 gpu-node-30'")

	p.click("#node-glob")
	p.press("n", "o", "d", "e", "-", "1", "*")
	p.waitText("#node-empty", "No node fits this filter")
	p.click("#node-glob")
	p.do(selectAll)
	p.press("d", "e", "-", "7")
	p.wait(shown + " === 'gpu-node-7'")
	p.waitText("#nodes-count", "1 of 30")

	p.click("#tally [data-status=Offline]")
	p.waitText("#node-empty", "No node fits this filter")
	p.wait("document.querySelector('#node-status').value === 'Offline'")
}

// A filter that the mock refuses has found nothing, and is not passed off as one that fits all.
func TestNodeFilterIsRefused(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	load(t, mock, ids(2)...)
	p := open(t, mock.URL, look{})
	p.waitText("#nodes-count", "2")
	p.click("#node-glob")
	p.press("g", "p", "u", "-", "n", "o", "d", "e", "-", "[", "1")
	p.waitText("#node-notice", "a [ needs its ]")
	if count := eval[string](p, "document.querySelector('#nodes-count').textContent"); count != "2" {
		t.Errorf("the count beside a refused filter is %q, want that of all nodes", count)
	}
	p.press("]")
	p.waitText("#nodes-count", "1 of 2")
	p.wait("!document.querySelector('#node-notice').checkVisibility()")
}

func TestClock(t *testing.T) {
	t.Parallel()
	paused := clock.PausedAt(time.Date(2026, time.November, 23, 9, 59, 12, 0, time.UTC))
	mock := mocktest.Start(t, quiet, mockserver.WithClock(paused))
	load(t, mock, "gpu-node-1")
	p := open(t, mock.URL, look{moves: true})
	p.waitText("#clock-pace", "paused")
	p.waitText(".beat-left", "30 s left")
	p.wait("document.getAnimations().length === 0") // those of the page's opening come to an end
	p.click("#clock-10")
	p.waitText("#clock-now", "09:59:22")
	p.click("#clock-10")
	p.waitText(".beat-left", "late, 10 s left")
	p.click("#clock-10")
	p.waitText(".node", "Offline")
	p.click("#clock-toggle")
	p.waitText("#clock-pace", "running")
	p.click("#clock-toggle")
	p.waitText("#clock-pace", "paused")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{})
	p.waitText("#link", "Live")
	p.wait("document.querySelector('#node-timeout').value === '30'")
	p.click("#cloud-profile")
	p.wait("document.querySelector('#cloud-profile').getAttribute('aria-checked') === 'false'")

	p.click("#node-timeout")
	p.do(selectAll)
	p.press("5", "\r")
	p.waitText("#alerts", "heartbeat interval")
	p.click("#node-timeout")
	p.do(selectAll)
	p.press("4", "5", "\r")
	p.wait("document.querySelector('#settings-save').disabled")

	settings, err := controlOf(t, mock).ReadSettingsWithResponse(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := settings.JSON200; got == nil || got.CloudProfile || got.NodeTimeoutMs != 45_000 {
		t.Errorf("the settings are %+v", got)
	}

	p.wait("document.querySelector('#dialect').value === 'document'")
	p.wait(`(() => {
		const dialect = document.querySelector('#dialect');
		dialect.value = 'in-service';
		return dialect.dispatchEvent(new Event('change'));
	})()`)
	p.waitText("#journal", "dialect in-service")

	p.click("#reset")
	p.click("#confirm button[value=reset]")
	p.wait("document.querySelector('#node-timeout').value === '30'")
}

// In service, a silent node has until the check that finds it so, and one that drains has no end.
func TestTimeLeftInService(t *testing.T) {
	t.Parallel()
	paused := clock.PausedAt(time.Date(2026, time.November, 23, 9, 59, 12, 0, time.UTC))
	mock := mocktest.Start(t, quiet, mockserver.WithClock(paused), mockserver.WithDialect(mockserver.InService))
	load(t, mock, ids(2)...)
	p := open(t, mock.URL, look{})
	p.waitText(".beat-left", "38 s left")
	if _, err := controlOf(t, mock).SetNodeStatusWithResponse(t.Context(), "gpu-node-1",
		control.StatusChange{Status: nodeapi.NodeStatusDraining}); err != nil {
		t.Fatal(err)
	}
	p.wait(`document.querySelectorAll('.beat[data-stage=gone]').length === 1`)
}
