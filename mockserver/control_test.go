package mockserver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// startControlled returns the generated client of a new server whose clock stands, and one
// that sends what a node would.
func startControlled(
	t *testing.T, options ...mockserver.Option,
) (*control.ClientWithResponses, *client, *mocktest.Server) {
	t.Helper()
	still := mockserver.WithClock(clock.PausedAt(time.UnixMilli(startMs)))
	node, server := start(t, append([]mockserver.Option{still}, options...)...)
	mock, err := control.NewClientWithResponses(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return mock, node, server
}

const startMs = 1_000_000_000_000

// must returns an answer. A call that fails ends the tests.
func must[A any](answer A, err error) A {
	if err != nil {
		panic(err)
	}
	return answer
}

// TestDriftByControl reads what the orchestratord in service would refuse beside the drift, and
// has both forgotten.
func TestDriftByControl(t *testing.T) {
	mock, node, _ := startControlled(t)
	ctx := t.Context()
	node.register(briefRegistration).expect(t, http.StatusOK)
	node.register(rustRegistration).expect(t, http.StatusUnprocessableEntity)
	advance(t, mock, time.Second)
	node.register(rustRegistration).expect(t, http.StatusUnprocessableEntity)
	report := must(mock.ReadDriftWithResponse(ctx)).JSON200
	if len(report.Departures) != 3 || len(report.RefusedInService.Departures) != 1 || report.Upstream != nil {
		t.Fatalf("%+v", report)
	}
	if seen := report.Departures[0]; seen.First.AtMs != startMs || seen.Last.AtMs != startMs+1000 {
		t.Errorf("seen twice, a second apart: %+v", seen)
	}
	refused := report.RefusedInService.Departures[0]
	if refused.Departure.Pointer != "/capabilities/gpus" || refused.Requests != 1 ||
		*refused.Last.NodeID != "gpu-node-1" {
		t.Errorf("refused in service: %+v", refused)
	}
	if got := must(mock.GetOverviewWithResponse(ctx)).JSON200; got.Drift != 3 || got.RefusedInService != 1 {
		t.Errorf("%d ways of drift and %d refused in service, want 3 and 1", got.Drift, got.RefusedInService)
	}
	for name, forget := range map[string]func(){
		"the drift is cleared": func() { must(mock.ClearDriftWithResponse(ctx)) },
		"the mock is reset":    func() { must(mock.ResetWithResponse(ctx)) },
	} {
		node.register(briefRegistration).expect(t, http.StatusOK)
		forget()
		report = must(mock.ReadDriftWithResponse(ctx)).JSON200
		if len(report.Departures) > 0 || len(report.RefusedInService.Departures) > 0 {
			t.Errorf("after %s: %+v", name, report)
		}
	}
}

func advance(t *testing.T, mock *control.ClientWithResponses, by time.Duration) control.Clock {
	t.Helper()
	answer := must(mock.AdvanceClockWithResponse(t.Context(), control.ClockAdvance{ByMs: by.Milliseconds()}))
	if answer.JSON200 == nil {
		t.Fatalf("%s", answer.Body)
	}
	return *answer.JSON200
}

// TestDateIsThatOfTheClock lets a caller see that the times in an answer come from a clock that is
// not its own.
func TestDateIsThatOfTheClock(t *testing.T) {
	mock, node, server := startControlled(t, mockserver.WithClock(clock.New()))
	advance(t, mock, 2*time.Second)
	before := server.Clock().Now().Truncate(time.Second)
	date := must(http.ParseTime(node.do(http.MethodGet, "/v2/nodes", "").expect(t, http.StatusOK).Header.Get("Date")))
	if after := server.Clock().Now(); date.Before(before) || date.After(after) {
		t.Errorf("the date is %s, want one of %s to %s", date, before, after)
	}
}

// TestClock changes a clock that stands at the start, and one that runs. Reset makes them do so again, and
// puts neither back.
func TestClock(t *testing.T) {
	for _, runs := range []bool{false, true} {
		clock := clock.PausedAt(time.UnixMilli(startMs))
		if runs {
			clock.Resume()
		}
		mock, _, _ := startControlled(t, mockserver.WithClock(clock))
		if got := advance(t, mock, time.Minute); got.NowMs < startMs+60_000 || got.Running != runs || got.Speed != 1 {
			t.Errorf("put forward, the clock is %+v", got)
		}
		answer := must(mock.ChangeClockWithResponse(t.Context(),
			control.ClockChange{Speed: new(60.0), Running: new(!runs)}))
		if got := answer.JSON200; got == nil || got.Running == runs || got.Speed != 60 {
			t.Errorf("sped up, the clock is %s", answer.Body)
		}
		must(mock.ResetWithResponse(t.Context()))
		read := must(mock.ReadClockWithResponse(t.Context()))
		if got := read.JSON200; got == nil || got.Running != runs || got.Speed != 1 || got.NowMs < startMs+60_000 {
			t.Errorf("reset, the clock is %s", read.Body)
		}
	}
}

func TestOverviewAndReset(t *testing.T) {
	mock, node, _ := startControlled(t)
	ctx := t.Context()
	fresh := must(mock.GetOverviewWithResponse(ctx)).JSON200
	must(mock.LoadNodesWithResponse(ctx, fixture(0, 0, 31, 0)))
	must(mock.SetNodeStatusWithResponse(ctx, "n03", control.StatusChange{Status: nodeapi.NodeStatusFailed}))
	node.register(briefRegistration).expect(t, http.StatusOK)
	node.register(rustRegistration).expect(t, http.StatusUnprocessableEntity)
	must(mock.SwitchFaultWithResponse(ctx, "slow", control.FaultSwitch{Enabled: true}))
	got := must(mock.GetOverviewWithResponse(ctx)).JSON200
	if want := (control.NodeCounts{Total: 5, Online: 2, Offline: 1, Failed: 1, Registering: 1}); got.Nodes != want {
		t.Errorf("nodes are %+v, want %+v", got.Nodes, want)
	}
	if got.PoolsAvailable != 2 || got.Drift != 3 || !cmp.Equal(got.Faults, []string{"slow"}) ||
		got.StartedAtMs != startMs || got.Version == "" {
		t.Errorf("%+v", got)
	}

	must(mock.ResetWithResponse(ctx))
	again := must(mock.GetOverviewWithResponse(ctx)).JSON200
	if again.Journal.Kept != 1 {
		t.Errorf("the journal keeps %d entries", again.Journal.Kept)
	}
	again.Journal, fresh.Journal = control.JournalCounts{}, control.JournalCounts{}
	if diff := cmp.Diff(fresh, again); diff != "" {
		t.Errorf("reset is not as new (-fresh +reset):\n%s", diff)
	}
}

// TestControlsAreNoted has the journal and the log say what was done through the control API.
func TestControlsAreNoted(t *testing.T) {
	log := newLog()
	_, client, server := startControlled(t, mockserver.WithLogger(log.logger))
	const fault = `{"rules": [{"effect": {"status": 503}}]}`
	var want []string
	for _, call := range []struct{ method, path, body, says string }{
		{"PATCH", "/clock", `{"speed": 2.5}`, "clock set to speed 2.5"},
		{"PATCH", "/clock", `{"running": true}`, "clock resumed"},
		{"PATCH", "/clock", `{"running": false}`, "clock paused"},
		{"POST", "/clock/advance", `{"by_ms": 1500}`, "clock put forward by 1.5s"},
		{
			"PATCH", "/settings", `{"cloud_profile": false, "dialect": "in-service", "validation": "report",
				"node_timeout_ms": 20000, "heartbeat_interval_ms": 7000, "stale_check_interval_ms": 3000,
				"tokens": ["hush-a", "hush-b"]}`,
			"settings changed: cloud profile off, dialect in-service, validation report, node timeout 20s, " +
				"heartbeat interval 7s, stale check interval 3s, 2 tokens",
		},
		{"PATCH", "/settings", `{"cloud_profile": true}`, "settings changed: cloud profile on"},
		{"PUT", "/faults/mine", fault, "fault mine defined, on"},
		{"PATCH", "/faults/mine", `{"enabled": false}`, "fault mine off"},
		{"PATCH", "/faults/mine", `{"enabled": true}`, "fault mine on"},
		{"DELETE", "/faults/mine", "", "fault mine removed"},
		{"PUT", "/faults", `{"faults": {"a": ` + fault + `, "b": ` + fault + `}}`, "faults replaced by 2"},
		{"PUT", "/nodes", `{"nodes": [{"registration": ` + briefRegistration + `}]}`, "1 node loaded"},
		{"PUT", "/nodes/gpu-node-1/status", `{"status": "Failed"}`, "node gpu-node-1 set to Failed"},
		{"DELETE", "/nodes/gpu-node-1", "", "node gpu-node-1 forgotten"},
		{"DELETE", "/drift", "", "drift forgotten"},
	} {
		headers := []string{"Content-Type", "application/json"}
		if call.body == "" {
			headers = nil
		}
		if got := client.do(call.method, "/__mock"+call.path, call.body, headers...); got.StatusCode/100 != 2 {
			t.Errorf("%s %s: %s", call.method, call.path, got.text)
		}
		want = append(want, call.says)
	}
	if diff := cmp.Diff(want, summaries(server, journal.Filter{Kind: control.EntryKindControl})); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	var logged []string
	for _, entry := range log.entries("control") {
		logged = append(logged, entry.attrs["action"])
	}
	if diff := cmp.Diff(want, logged); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestRefusedControls sends what keeps the document and makes no sense, or names nothing. None of it is noted.
func TestRefusedControls(t *testing.T) {
	client, server := start(t)
	client.register(briefRegistration).expect(t, http.StatusOK)
	for _, call := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{
			"PUT", "/faults/it", `{"rules": [{"match": {"first_call": 3, "last_call": 2}, "effect": {"status": 503}}]}`,
			422, "/rules/0/match/last_call",
		},
		{"PUT", "/faults", `{"faults": {"it": {"rules": [{"effect": {}}]}}}`, 422, "/faults/it/rules/0/effect"},
		{"PATCH", "/faults/it", `{"enabled": true}`, 404, `there is no fault \"it\"`},
		{"DELETE", "/faults/it", "", 404, `there is no fault \"it\"`},
		{"POST", "/expectations", `{"at_least": 2, "at_most": 1}`, 422, "/at_most"},
		{"GET", "/journal/7", "", 404, "the journal has no entry 7: it ends with 2 and keeps 2"},
		{"GET", "/journal?node=%5B", "", 400, `\"[\" is no pattern`},
		{"GET", "/stream?node=%5B", "", 400, `\"[\" is no pattern`},
		{"GET", "/nodes/it", "", 404, `no node is registered as \"it\"`},
		{"DELETE", "/nodes/it", "", 404, `no node is registered as \"it\"`},
		{"PUT", "/nodes/it/status", `{"status": "Offline"}`, 404, `no node is registered as \"it\"`},
		{"PUT", "/clock", "{}", 405, "PUT is not allowed here: use GET or PATCH"},
		{"PATCH", "/settings", `{"a": 1, "b": 2}`, 422, "(1 more)"},
	} {
		headers := []string{"Content-Type", "application/json"}
		if call.body == "" {
			headers = nil
		}
		got := client.do(call.method, "/__mock"+call.path, call.body, headers...).expect(t, call.status)
		if !strings.Contains(string(got.text), call.says) {
			t.Errorf("%s %s: %s, want %s", call.method, call.path, got.text, call.says)
		}
	}
	if noted := summaries(server, journal.Filter{Kind: control.EntryKindControl}); noted != nil {
		t.Errorf("the journal says that it was done: %q", noted)
	}
}

// TestParameters sends queries and paths that do not fit.
func TestParameters(t *testing.T) {
	client, _ := start(t)
	for path, want := range map[string]string{
		"/__mock/nodes?limit=0":                  `parameter "limit": must be 1 or more, not 0`,
		"/__mock/nodes?limit=":                   `parameter "limit": must be of type integer, not ""`,
		"/__mock/nodes?limit=a":                  `parameter "limit": must be of type integer, not "a"`,
		"/__mock/nodes?limit=1e3":                `parameter "limit": must be of type integer, not "1e3"`,
		"/__mock/nodes?limit=1&limit=2":          `parameter "limit": must be there once, not 2 times`,
		"/__mock/nodes?status=online&limit=0":    `parameter "limit": must be 1 or more, not 0`,
		"/__mock/nodes?stauts=Online":            `there is no parameter "stauts", perhaps "status" is meant`,
		"/__mock/clock?c&b&a":                    `"a", nor any other; there is no parameter "b", nor any other`,
		"/__mock/nodes?%5Bx=1":                   `there is no parameter "[x", but node, status, after, limit`,
		"/__mock/nodes?node=%5B":                 `parameter "node": "[" is no pattern`,
		"/__mock/nodes?node=%00":                 `parameter "node": must match`,
		"/__mock/nodes?node=%zz":                 `the query cannot be read: invalid URL escape "%zz"`,
		"/__mock/nodes?a;b":                      `the query cannot be read`,
		"/__mock/clock?now=1":                    `there is no parameter "now", nor any other`,
		"/__mock/nodes/-":                        `parameter "id": must match`,
		"/__mock/nodes/a%2Fb":                    `parameter "id": must match`,
		"/__mock/journal/one":                    `parameter "sequence": must be of type integer, not "one"`,
		"/__mock/journal/-1":                     `parameter "sequence": must be 0 or more, not -1`,
		"/__mock/journal/99999999999999999999":   `must be of type integer, not "99999999999999999999"`,
		"/__mock/journal?answered=600":           `parameter "answered": must match`,
		"/__mock/journal?kind=x&detail=nothing":  `parameter "detail": `,
		"/__mock/journal?node=" + long(300):      `parameter "node": must have a length of 256 or less, not 300`,
		"/__mock/journal?" + long(10_000) + "=1": `there is no parameter "` + long(127) + `…"`,
		"/__mock/stream?after=x":                 `parameter "after": must be of type integer, not "x"`,
	} {
		p := client.do("GET", path, "").expect(t, http.StatusBadRequest).problem(t)
		if p.Code != "invalid_parameter" || !strings.Contains(p.Detail, want) {
			t.Errorf("%.60s: %s: %s, want %s", path, p.Code, p.Detail, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }
