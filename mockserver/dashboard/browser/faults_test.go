package browser_test

import (
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

func TestFaultsAreSwitched(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{})
	toggle := ".fault .switch[aria-labelledby=fault-outage]"
	p.waitText("#fault-list", "outage")
	p.click(toggle)
	p.wait("document.querySelector('" + toggle + "').getAttribute('aria-checked') === 'true'")
	p.waitText("#faults-count", "1 on")
	p.waitText("#faults-jump", "Faults (1)")
	post(t, mock.URL+nodeAPI(t, "registerNode"), `{}`)
	p.waitText(".fault[data-on]", "changed 1 request")
	p.waitText(".entry", "fault outage")

	p.wait("document.activeElement.matches('" + toggle + "')")
	p.press(" ")
	p.wait("document.querySelector('" + toggle + "').getAttribute('aria-checked') === 'false'")
}

func TestFaultIsAdded(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{})
	p.waitText("#fault-list", "outage")
	p.click("#fault-editor > summary")
	p.click("#fault-form button[type=submit]") // nothing happens without a name
	p.click("#fault-form input[required]")
	p.press("n", "o", "-", "b", "e", "a", "t", "s")
	p.click("#fault-form fieldset label:nth-of-type(2) input")
	p.click("#fault-form button[type=submit]")
	p.waitText(".fault[data-on]", "no-beats")

	faults, err := controlOf(t, mock).ReadFaultsWithResponse(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var added bool
	for _, fault := range faults.JSON200.Faults {
		if fault.Name != "no-beats" {
			continue
		}
		added = true
		rule := fault.Rules[0]
		if rule.Effect.Status == nil || *rule.Effect.Status != http.StatusServiceUnavailable {
			t.Errorf("the effect is %+v, want status 503", rule.Effect)
		}
		if rule.Match == nil || rule.Match.Operations == nil || string((*rule.Match.Operations)[0]) != "heartbeatNode" {
			t.Errorf("the match is %+v, want heartbeats", rule.Match)
		}
	}
	if !added {
		t.Error("there is no fault no-beats")
	}
	p.click("[aria-describedby=fault-no-beats]")
	p.wait("!document.querySelector('#fault-list').innerText.includes('no-beats')")
}

// What is wrong with a definition is shown where it was made.
func TestFaultIsRefused(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	p := open(t, mock.URL, look{})
	p.waitText("#fault-list", "outage")
	p.click("#fault-editor > summary")
	p.click("#fault-form input[required]")
	p.press("b", "a", "d")
	p.click(".fault-json > summary")
	p.click("#fault-form textarea")
	p.do(selectAll)
	p.press("{", "}")
	p.click("#fault-form button[type=submit]")
	p.waitText("#fault-form .wrong", "/rules")
}

func TestDriftIsShown(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet, mockserver.WithValidation(mockserver.Report))
	p := open(t, mock.URL, look{})
	p.waitText("#drift-empty", "No request has departed")
	post(t, mock.URL+nodeAPI(t, "registerNode"),
		`{"node_id":"old-1","address":"http://127.0.0.1:9200","pools":["llama-3-70b"],"capabilities":{"gpus":[]},`+
			`"machineid":"m"}`)
	p.waitText(".departure", "/machine_id")
	p.waitText(".departure", "old-1")
	p.waitText(".entry", "departure")
	post(t, mock.URL+nodeAPI(t, "registerNode"), fitting)
	p.waitText("[aria-label='Refused in service'] .departure", "/capabilities/gpus")
	p.wait(
		"document.querySelector('#drift-jump').textContent === `Drift " +
			"(${document.querySelectorAll('.departure').length})`")
	if broken := eval[[]string](p, brokenWords); len(broken) > 0 {
		t.Errorf("broken within the word: %q", broken)
	}
	p.click("#drift-clear")
	p.waitText("#drift-empty", "No request has departed")
}

// brokenWords lists the words that take more than one line.
const brokenWords = `[...document.querySelectorAll('dt, .pool-name')].filter((e) => {
	const range = document.createRange();
	range.selectNodeContents(e);
	return e.checkVisibility() && new Set([...range.getClientRects()].map(({ top }) => top)).size > 1;
}).map((e) => e.textContent)`
