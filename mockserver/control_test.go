package mockserver_test

import (
	"fmt"
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

// fixture returns nodes n00, n01 and so on, each silent for so many seconds.
func fixture(silent ...int64) control.Fixture {
	var nodes control.Fixture
	for i, seconds := range silent {
		nodes.Nodes = append(nodes.Nodes, control.FixtureNode{
			Registration: nodeapi.RegisterRequest{
				NodeID: fmt.Sprintf("n%02d", i), MachineID: "m", Address: "http://h", Pools: []string{"p"},
				Capabilities: nodeapi.NodeCapabilities{CUDAVersion: "12.1"},
			},
			Status:      new(nodeapi.NodeStatusOnline),
			Pools:       &[]nodeapi.PoolStatus{{PoolID: "p", Ready: true}},
			SilentForMs: new(seconds * 1000),
		})
	}
	return nodes
}

func TestFixture(t *testing.T) {
	mock, _, server := startControlled(t)
	loaded := must(mock.LoadNodesWithResponse(t.Context(), fixture(0, 29, 31)))
	if loaded.StatusCode() != http.StatusNoContent {
		t.Fatalf("%s", loaded.Body)
	}
	statuses := func() string {
		var all []string
		for _, node := range server.Nodes() {
			all = append(all, string(node.Status))
		}
		return strings.Join(all, " ")
	}
	if got := statuses(); got != "Online Online Offline" {
		t.Errorf("loaded nodes are %s", got)
	}
	advance(t, mock, time.Second)
	if got := statuses(); got != "Online Offline Offline" {
		t.Errorf("after a second they are %s", got)
	}
	causesFirst := []string{
		"3 nodes loaded", "n02 Online → Offline", "clock put forward by 1s", "n01 Online → Offline",
	}
	if diff := cmp.Diff(causesFirst, summaries(server, journal.Filter{})); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	advance(t, mock, 29*time.Second)
	if got := statuses(); got != "Offline Offline Offline" {
		t.Errorf("after 30 s they are %s", got)
	}

	twins := fixture(0, 0, 0)
	twins.Nodes[2].Registration.NodeID = "n00"
	refused := must(mock.LoadNodesWithResponse(t.Context(), twins))
	if p := refused.Problem; p == nil || (*p.Errors)[0].Pointer != "/nodes/2/registration/node_id" {
		t.Errorf("two nodes of the same id: %s", refused.Body)
	}
	many := fixture(make([]int64, 150)...)
	for i := range many.Nodes {
		many.Nodes[i].Registration.NodeID = "n00"
	}
	refused = must(mock.LoadNodesWithResponse(t.Context(), many))
	if p := refused.Problem; p == nil || len(*p.Errors) != 100 {
		t.Errorf("a hundred and more nodes of the same id: %s", refused.Body)
	}
	wrong := fixture(0, 0)
	wrong.Nodes[1].Registration.MachineID = ""
	refused = must(mock.LoadNodesWithResponse(t.Context(), wrong))
	if p := refused.Problem; p == nil || (*p.Errors)[0].Pointer != "/nodes/1/registration/machine_id" {
		t.Errorf("a node without a machine: %s", refused.Body)
	}
	if got := statuses(); got != "Offline Offline Offline" {
		t.Errorf("after what was refused they are %s", got)
	}
}

// TestFixtureOfANewNode loads a node that registered a while ago, and has not sent a heartbeat.
func TestFixtureOfANewNode(t *testing.T) {
	mock, _, _ := startControlled(t)
	fresh := fixture(7)
	fresh.Nodes[0].Status = nil
	must(mock.LoadNodesWithResponse(t.Context(), fresh))
	node := must(mock.ReadNodeWithResponse(t.Context(), "n00")).JSON200.Node
	if node.Status != nodeapi.NodeStatusRegistering || node.RegisteredAtMs != startMs-7000 ||
		node.LastHeartbeatMs != nil {
		t.Errorf("it is loaded as %+v", node)
	}
}

func TestNodePages(t *testing.T) {
	mock, _, _ := startControlled(t)
	must(mock.LoadNodesWithResponse(t.Context(), fixture(0, 31, 0, 31, 0, 0)))
	for _, test := range []struct {
		params control.ReadNodesParams
		want   string // the pages' ids
	}{
		{control.ReadNodesParams{}, "n00 n01 n02 n03 n04 n05"},
		{control.ReadNodesParams{Limit: new(int32(4))}, "n00 n01 n02 n03 | n04 n05"},
		{control.ReadNodesParams{Limit: new(int32(2))}, "n00 n01 | n02 n03 | n04 n05"},
		{control.ReadNodesParams{Status: new(nodeapi.NodeStatusOnline), Limit: new(int32(2))}, "n00 n02 | n04 n05"},
		// There are more nodes, and none of them fits.
		{control.ReadNodesParams{Status: new(nodeapi.NodeStatusOffline), Limit: new(int32(1))}, "n01 | n03 | "},
		{control.ReadNodesParams{Node: new("n0[13]"), Limit: new(int32(10))}, "n01 n03"},
		{control.ReadNodesParams{After: new("n03")}, "n04 n05"},
		{control.ReadNodesParams{After: new("n03x")}, "n04 n05"},
		{control.ReadNodesParams{After: new("z")}, ""},
	} {
		var pages []string
		for next := test.params.After; ; {
			params := test.params
			params.After = next
			answer := must(mock.ReadNodesWithResponse(t.Context(), &params))
			if answer.JSON200 == nil {
				t.Fatalf("%s", answer.Body)
			}
			var ids []string
			for _, node := range answer.JSON200.Nodes {
				ids = append(ids, node.Node.NodeID)
			}
			pages = append(pages, strings.Join(ids, " "))
			if next = answer.JSON200.Next; next == nil {
				break
			}
		}
		if got := strings.Join(pages, " | "); got != test.want {
			t.Errorf("%+v: %s, want %s", test.params, got, test.want)
		}
	}
}

func TestOneNode(t *testing.T) {
	mock, node, _ := startControlled(t)
	node.register(briefRegistration).expect(t, http.StatusOK)
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	read := must(mock.ReadNodeWithResponse(t.Context(), "gpu-node-1"))
	got := read.JSON200
	if got == nil || got.ExpiresAtMs == nil || *got.ExpiresAtMs != startMs+30_000 || len(got.Pools) != 1 {
		t.Fatalf("%s", read.Body)
	}
	want := []control.Transition{
		{AtMs: startMs, To: new(nodeapi.NodeStatusRegistering)},
		{AtMs: startMs, From: new(nodeapi.NodeStatusRegistering), To: new(nodeapi.NodeStatusOnline)},
	}
	if diff := cmp.Diff(want, got.History); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}

	set := must(mock.SetNodeStatusWithResponse(t.Context(), "gpu-node-1",
		control.StatusChange{Status: nodeapi.NodeStatusOffline}))
	if got := set.JSON200; got == nil || got.Node.Status != nodeapi.NodeStatusOffline || got.ExpiresAtMs != nil {
		t.Errorf("%s", set.Body)
	}
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	set = must(mock.SetNodeStatusWithResponse(t.Context(), "gpu-node-1",
		control.StatusChange{Status: nodeapi.NodeStatusFailed}))
	if got := set.JSON200; got == nil || got.Node.Status != nodeapi.NodeStatusFailed {
		t.Errorf("%s", set.Body)
	}

	advance(t, mock, 10*time.Second)
	set = must(mock.SetNodeStatusWithResponse(t.Context(), "gpu-node-1",
		control.StatusChange{Status: nodeapi.NodeStatusOnline}))
	if got := set.JSON200; *got.ExpiresAtMs != startMs+40_000 || *got.Node.LastHeartbeatMs != startMs {
		t.Errorf("set Online, which is no heartbeat: %s", set.Body)
	}

	must(mock.ForgetNodeWithResponse(t.Context(), "gpu-node-1"))
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusNotFound)
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
