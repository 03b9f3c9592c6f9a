package browser_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// What the page says in its own words: rules as sentences, times that can be, and plural forms.
func TestWords(t *testing.T) {
	t.Parallel()
	p := openScript(t)
	for rule, want := range map[string]string{
		`{"effect":{"status":503,"retry_after_s":1}}`: `All requests: ` +
			`answer 503, ask to wait 1` + "\u00a0second.",
		`{"match":{"operations":["heartbeatNode"],"node":"a"},"effect":{"connection":"hang"}}`: `Heartbeats of a: ` +
			`never answer.`,
		`{"match":{"operations":["registerNode","listNodes"],"probability":0.07},"effect":{"latency_ms":500,` +
			`"latency_max_ms":1500,"body":"empty"}}`: `Registrations and listings, 7 % of them by chance: wait 0.5 ` +
			`s to 1.5 s, answer with an empty body.`,
		`{"match":{"first_call":3,"last_call":5,"times":1},"effect":{"restart":true}}`: `All requests, from the 3rd ` +
			`to the 5th call of a node, once in all: forget all nodes.`,
		`{"match":{"every":2,"after_ms":20000,"for_ms":60000,"pause_ms":60000},"effect":{"reject":true,` +
			`"detail":"full"}}`: `All requests, every 2nd call of a node, for 1 min, beginning 20 s after it is ` +
			`switched on, then a pause of 1 min: reject the node, say “full”.`,
		`{"match":{"first_call":1,"last_call":1},"effect":{"body":"trickle","trickle_ms":100,"content_type":"text/` +
			`html"}}`: `All requests, only the 1st call of a node: send the answer byte by byte, 0.1 s between two ` +
			`bytes, call the answer text/html.`,
		`{"match":{"operations":["heartbeatNode"],"first_call":3,"every":60},"effect":{"offline":"node"}}`: `Heartb` +
			`eats, from the 3rd call of a node on, every 60th call: mark the node Offline until registered again.`,
		`{"effect":{"status":404,"text":"no such page"}}`: `All requests: answer 404, with the text “no such page” ` +
			`in place of a problem.`,
		`{"effect":{"latency_ms":0}}`: `All requests: change nothing.`,
	} {
		if got := eval[string](p, "import('./rules.js').then((m) => m.sentence("+rule+"))"); got != want {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
	const twoPools = "{ node: { pools: ['a', 'b'] }, pools: [{ pool_id: 'a', slots_free: 4 }, " +
		"{ pool_id: 'b', slots_free: 3, slots_total: 5 }] }" // neither states its VRAM
	for call, want := range map[string]string{
		"format.plural(1, 'entry', 'entries')": "1\u00a0entry",
		"format.plural(2, 'entry', 'entries')": "2\u00a0entries",
		"format.times(1)":                      "once",
		"format.times(3)":                      "3 times",
		"format.bytes(12e9)":                   "12\u00a0GB",
		"format.brief(400)":                    "0.4 s",
		"format.brief(83_999)":                 "83 s",
		"format.brief(7_199_999)":              "119 min",
		"format.brief(172_799_999)":            "47 h",
		"format.brief(604_800_000)":            "7 d",
		"pools.sumOf(" + twoPools + ")":        "2\u00a0pools, 7/9\u00a0slots free",
	} {
		module, _, _ := strings.Cut(call, ".")
		if got := eval[string](p, "import('./"+module+".js').then(("+module+") => "+call+")"); got != want {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
	}
}

// openScript opens a script of the page as a text: what it exports can be called there, at less cost than on
// the page.
func openScript(t *testing.T) *tab {
	t.Helper()
	return open(t, mocktest.Start(t, quiet).URL+"/dashboard/rules.js", look{})
}

// A page that is a moment behind the mock shows no node that has more than the timeout left. The bar
// shrinks for that long by the mock's clock, which is ten times as fast here.
func TestTimeLeft(t *testing.T) {
	t.Parallel()
	p := open(t, mocktest.Start(t, quiet).URL, look{moves: true})
	for expires, want := range map[int]string{
		130_900: "30 s left, 3000 ms", 112_000: "12 s left, 1200 ms", 90_000: "late, 0.0 s left",
	} {
		node, _ := json.Marshal(map[string]any{"node": map[string]any{"status": "Online"}, "expires_at_ms": expires})
		got := eval[string](p, fmt.Sprintf(`import('./dashboard/timeleft.js').then(({ timeLeft }) => {
			const clock = { now: () => 100000, running: true, speed: 10, course: 0 };
			const left = timeLeft({ timeout: 30000, interval: 10000, clock });
			document.body.append(left.element);
			left.update(%s);
			const shrinking = left.element.querySelector('.beat-fill').getAnimations();
			return [left.element.querySelector('.beat-left').textContent,
				...shrinking.map((each) => each.effect.getTiming().duration + ' ms')].join(', ');
		})`, node))
		if got != want {
			t.Errorf("a node that expires at %d has %q, want %q", expires, got, want)
		}
	}
}
