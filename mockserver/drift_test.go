package mockserver_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// rustDrift is how the node in service departs from the contract.
var rustDrift = []string{
	`registerNode at "/capabilities/cuda_version": must be there (got nothing)`,
	`registerNode at "/capabilities/gpu_count": must be there (got nothing)`,
	`registerNode at "/capabilities/total_vram_mb": must be there (got nothing)`,
}

// drifted returns how requests departed from the contract, a line each.
func drifted(server interface{ Drift() drift.Report }) []string {
	lines := []string{}
	for _, entry := range server.Drift().Entries {
		lines = append(lines, entry.String())
	}
	return lines
}

// TestReportNodeInService lets the node in service live.
func TestReportNodeInService(t *testing.T) {
	log := newLog()
	noon := time.Unix(1_000_000_000, 0)
	clock := clock.PausedAt(noon)
	client, server := start(t, mockserver.WithValidation(mockserver.Report), mockserver.WithLogger(log.logger),
		mockserver.WithClock(clock))
	client.register(rustRegistration).expect(t, http.StatusOK)
	client.beat("gpu-node-1", rustHeartbeat).expect(t, http.StatusOK)
	clock.Advance(time.Second)
	client.register(strings.Replace(rustRegistration, "gpu-node-1", "gpu-node-2", 1)).expect(t, http.StatusOK)

	listed := client.list().Nodes[0]
	if listed.Status != nodeapi.NodeStatusOnline || len(*listed.Capabilities.Gpus) != 1 {
		t.Errorf("listed: %+v", listed)
	}
	if diff := cmp.Diff(rustDrift, drifted(server)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	for _, entry := range server.Drift().Entries {
		first, last := drift.Sighting{NodeID: "gpu-node-1", At: noon}, drift.Sighting{
			NodeID: "gpu-node-2",
			At:     noon.Add(time.Second),
		}
		if entry.Kind != "required" || entry.Requests != 2 || entry.First != first || entry.Last != last {
			t.Errorf("entry: %+v", entry)
		}
	}
	logged := log.entries("departure from the contract")
	if len(logged) != len(rustDrift) || logged[0].attrs["node_id"] != "gpu-node-1" ||
		logged[0].attrs["correlation_id"] == "" {
		t.Errorf("logged: %v", logged)
	}
}

// acceptedByReport ends the refusal of a request that another mode accepts.
const acceptedByReport = "; --validation report accepts it as far as it can be read"

// TestStrictNodeInService refuses it, for the same reasons. The payload of the brief is taken, and
// would not be in service.
func TestStrictNodeInService(t *testing.T) {
	client, server := start(t)
	refusal := client.register(rustRegistration).expect(t, http.StatusUnprocessableEntity)
	if detail := refusal.problem(t).Detail; !strings.HasSuffix(detail, acceptedByReport) {
		t.Errorf("the refused node learns no more than %q", detail)
	}
	client.register(briefRegistration).expect(t, http.StatusOK)
	client.beat("gpu-node-1", rustHeartbeat).expect(t, http.StatusOK)
	if diff := cmp.Diff(rustDrift, drifted(server)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	refused := server.RefusedInService().Entries
	const want = `registerNode at "/capabilities/gpus": must be there for the orchestratord in service (got nothing)`
	if len(refused) != 1 || refused[0].String() != want || refused[0].Requests != 1 ||
		refused[0].Last.NodeID != "gpu-node-1" {
		t.Errorf("refused in service: %v", refused)
	}
}

// TestRefusedInServiceIsLoggedOnce has a node send the payloads of the brief twice. Each field that
// is missing in service is counted twice, and logged once.
func TestRefusedInServiceIsLoggedOnce(t *testing.T) {
	log := newLog()
	client, server := start(t, mockserver.WithLogger(log.logger))
	for range 2 {
		client.register(briefRegistration).expect(t, http.StatusOK)
		client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	}
	want := []string{
		"heartbeatNode /pools/*/draining", "heartbeatNode /pools/*/slots_total",
		"heartbeatNode /pools/*/vram_free_bytes",
		"registerNode /capabilities/gpus",
	}
	var counted, logged []string
	for _, entry := range server.RefusedInService().Entries {
		counted = append(counted, entry.Operation+" "+entry.Pointer)
		if entry.Kind != drift.RefusedInService || entry.Requests != 2 {
			t.Errorf("%+v", entry)
		}
	}
	for _, line := range log.entries("refused by the orchestratord in service") {
		logged = append(logged, fmt.Sprint(line.attrs["operation"], " ", line.attrs["pointer"]))
	}
	if slices.Sort(logged); !slices.Equal(logged, want) || !slices.Equal(counted, want) {
		t.Errorf("logged: %q, counted: %q", logged, counted)
	}
}

// TestUnknownFields puts a field that the contract does not name before one that it
// does. No mode refuses it.
func TestUnknownFields(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, test := range []struct{ before, name, pointer, perhaps string }{
		{`"node_id":`, "nodeid", "registerNode /nodeid", "node_id"},
		{`"node_id":`, "Node_Id", "registerNode /Node_Id", "node_id"},
		{`"gpu_count":`, "gpuCount", "registerNode /capabilities/gpuCount", "gpu_count"},
		{`"device_id":`, "nme", "registerNode /capabilities/gpus/*/nme", "name"},
		{`"timestamp":`, "time", "heartbeatNode /time", ""},
		{`"pool_id":`, "slot_free", "heartbeatNode /pools/*/slot_free", "slots_free"},
		{`"pool_id":`, "mood", "heartbeatNode /pools/*/mood", ""},
		{`"pool_id":`, "12", "heartbeatNode /pools/*/12", ""},
		{`"pool_id":`, "", "heartbeatNode /pools/*/", ""},
		{`"pool_id":`, "a\x1b[2J/~", "heartbeatNode /pools/*/a<U+001B>[2J~1~0", ""},
		{`"pool_id":`, long, "heartbeatNode /pools/*/" + long[:127] + "…", ""},
	} {
		name, _ := json.Marshal(test.name)
		with := strings.NewReplacer(test.before, string(name)+`: {"node_id": []}, `+test.before)
		for _, mode := range []mockserver.Validation{mockserver.Strict, mockserver.Report} {
			client, server := start(t, mockserver.WithValidation(mode))
			client.register(with.Replace(fullRegistration)).expect(t, http.StatusOK)
			client.beat("gpu-node-1", with.Replace(fullHeartbeat)).expect(t, http.StatusOK)
			entries := server.Drift().Entries
			if len(entries) != 1 {
				t.Fatalf("%s, %.40q: drift %v", mode, test.name, entries)
			}
			got, want := entries[0], "must be a field that the contract names"
			if test.perhaps != "" {
				want += ", perhaps " + strconv.Quote(test.perhaps)
			}
			if got.Kind != drift.Unknown || got.Operation+" "+got.Pointer != test.pointer || got.Expected != want ||
				len(got.Got) > 140 {
				t.Errorf("%s, %.40q: drift %+v", mode, test.name, got)
			}
		}
	}
}

// TestReportKeepsWhatIsLegal breaks the contract in one place of a registration or a
// heartbeat, and looks at what is left of it.
func TestReportKeepsWhatIsLegal(t *testing.T) {
	no := (*nodeapi.NodeVersion)(nil)
	for _, test := range []struct {
		field string
		value any
		drift string
		left  func(nodeapi.Node) any
		want  any
	}{
		{
			"/machine_id", missing, "must be there (got nothing)", func(n nodeapi.Node) any { return n.MachineID },
			"unknown",
		},
		{
			"/address", "nowhere", "must match ^https?://", func(n nodeapi.Node) any { return n.Address },
			"http://unknown.invalid",
		},
		{"/pools", missing, "must be there (got nothing)", func(n nodeapi.Node) any { return n.Pools }, []string{}},
		{"/pools", nil, "must be of type array (got null)", func(n nodeapi.Node) any { return n.Pools }, []string{}},
		{
			"/pools",
			[]any{"a", 1, "b", "a"},
			"/pools/*", func(n nodeapi.Node) any { return n.Pools },
			[]string{"a", "b"},
		},
		{
			"/pools",
			[]any{"a", "a", "a"},
			"must have no duplicate items (got an array of 3 items)",
			func(n nodeapi.Node) any { return n.Pools },
			[]string{"a"},
		},
		{
			"/pools", names(257), "must have 256 items or fewer (got 257)",
			func(n nodeapi.Node) any { return len(n.Pools) }, 256,
		},
		{"/version", true, "must be of type string (got true)", func(n nodeapi.Node) any { return n.Version }, no},
		{"/version", 7, "must be of type string (got 7)", func(n nodeapi.Node) any { return n.Version }, no},
		{
			"/capabilities", "many", `must be of type object (got "many")`,
			func(n nodeapi.Node) any { return n.Capabilities.GPUCount }, (*int32)(nil),
		},
		{
			"/capabilities/gpu_count", 4096, "must be 1024 or less (got 4096)",
			func(n nodeapi.Node) any { return n.Capabilities.GPUCount }, (*int32)(nil),
		},
		{
			"/capabilities/gpus",
			[]any{map[string]any{}, nil},
			"must be there",
			func(n nodeapi.Node) any { return len(*n.Capabilities.Gpus) }, 0,
		},
		{
			"/capabilities/gpus/0/device_id", "0", `must be of type integer (got "0")`,
			func(n nodeapi.Node) any { return len(*n.Capabilities.Gpus) }, 0,
		},
		{
			"/capabilities/cpu_cores", -1, "must be 0 or more (got -1)",
			func(n nodeapi.Node) any { return n.Capabilities.CPUCores }, (*int32)(nil),
		},
	} {
		client, server := start(t, mockserver.WithValidation(mockserver.Report))
		client.register(edited(t, fullRegistration, test.field, test.value)).expect(t, http.StatusOK)
		if diff := cmp.Diff(test.want, test.left(client.list().Nodes[0])); diff != "" {
			t.Errorf("%s as %.40v (-want +got):\n%s", test.field, test.value, diff)
		}
		if got := strings.Join(drifted(server), "\n"); !strings.Contains(got, test.drift) {
			t.Errorf("%s as %.40v: drift %s, want %s", test.field, test.value, got, test.drift)
		}
	}
}

func TestReportHeartbeats(t *testing.T) {
	client, server := start(t, mockserver.WithValidation(mockserver.Report))
	client.register(briefRegistration).expect(t, http.StatusOK)
	for _, test := range []struct {
		body  string
		pools []nodeapi.PoolStatus
	}{
		{"{}", []nodeapi.PoolStatus{}},
		{`{"timestamp": "yesterday", "pools": {}}`, []nodeapi.PoolStatus{}},
		{`{"pools": [` + strings.Repeat(`{"ready": true}, `, 20) + `7]}`, []nodeapi.PoolStatus{}},
		{
			`{"pools": [{"pool_id": "a"}, {"ready": true}, 7, ` +
				`{"pool_id": "b", "ready": true, "slots_free": 2, "draining": null}]}`,
			[]nodeapi.PoolStatus{{PoolID: "b", Ready: true, SlotsFree: 2}},
		},
	} {
		client.beat("gpu-node-1", test.body).expect(t, http.StatusOK)
		if node := server.Nodes()[0]; node.Status != nodeapi.NodeStatusOnline || !cmp.Equal(test.pools, node.Pools) {
			t.Errorf("%s: %s with %v", test.body, node.Status, cmp.Diff(test.pools, node.Pools))
		}
	}
	client.list()
	want := []string{
		`heartbeatNode at "/pools": must be there (got nothing)`,
		`heartbeatNode at "/pools": must be of type array (got an object of 0 fields)`,
		`heartbeatNode at "/pools/*": must be of type object (got 7)`,
		`heartbeatNode at "/pools/*/draining": must be of type boolean (got null)`,
		`heartbeatNode at "/pools/*/pool_id": must be there (got nothing)`,
		`heartbeatNode at "/pools/*/ready": must be there (got nothing)`,
		`heartbeatNode at "/pools/*/slots_free": must be there (got nothing)`,
		`heartbeatNode at "/timestamp": must be a valid date-time, such as 2025-10-01T00:00:00Z (got "yesterday")`,
		`heartbeatNode at "/timestamp": must be there (got nothing)`,
	}
	if diff := cmp.Diff(want, drifted(server)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

// TestReportRefuses sends what cannot be read, which no refusal promises to be accepted so.
func TestReportRefuses(t *testing.T) {
	strict, _ := start(t)
	client, server := start(t, mockserver.WithValidation(mockserver.Report))
	for _, body := range []string{
		"null", "[]", `"gpu-node-1"`,
		edited(t, briefRegistration, "/node_id", missing),
		edited(t, briefRegistration, "/node_id", "../etc"),
		edited(t, briefRegistration, "/node_id", []any{}),
	} {
		client.register(body).expect(t, http.StatusUnprocessableEntity)
		refusal := strict.register(body).expect(t, http.StatusUnprocessableEntity)
		if detail := refusal.problem(t).Detail; strings.HasSuffix(detail, acceptedByReport) {
			t.Errorf("%s: %s", body, detail)
		}
	}
	client.register("{").expect(t, http.StatusBadRequest)
	client.do("POST", "/v2/nodes/register", briefRegistration, "Content-Type", "text/plain").expect(t,
		http.StatusUnsupportedMediaType)
	if nodes := server.Nodes(); len(nodes) != 0 {
		t.Errorf("nodes: %+v", nodes)
	}
	for _, entry := range server.Drift().Entries {
		if entry.Last.NodeID != "" {
			t.Errorf("%s: of node %s", entry, entry.Last.NodeID)
		}
	}
}

// TestDriftOfANodeNamedLikeItsKey has a node whose id is a credential of the same request.
func TestDriftOfANodeNamedLikeItsKey(t *testing.T) {
	log := newLog()
	client, server := start(t, mockserver.WithLogger(log.logger))
	client.do("POST", "/v2/nodes/k3y-k3y/heartbeat", "{}", "Content-Type", "application/json", "X-Api-Key", "k3y-k3y")
	entries := server.Drift().Entries
	if len(entries) == 0 ||
		strings.Contains(fmt.Sprint(entries, log.entries("departure from the contract")), "k3y-k3y") {
		t.Errorf("the key is in %+v, or in %v", entries, log.entries("departure from the contract"))
	}
}

// TestDriftHidesPasswords has a node state an address with a password in it.
func TestDriftHidesPasswords(t *testing.T) {
	for address, shown := range map[string]string{
		"ftp://me:hush@host": "ftp://***@host",
		"ftp://hush@host":    "ftp://***@host",
		"//me:hush@host":     "//***@host",
		"//hush@host":        "//***@host",
	} {
		client, server := start(t, mockserver.WithValidation(mockserver.Report))
		client.register(edited(t, briefRegistration, "/address", address)).expect(t, http.StatusOK)
		text := strings.Join(drifted(server), "\n")
		if strings.Contains(text, "hush") || !strings.Contains(text, shown) {
			t.Errorf("%s is shown in %s", address, text)
		}
	}
}

// TestDriftIsBounded_heavy sends more departures than anybody would read, and secrets.
func TestDriftIsBounded_heavy(t *testing.T) {
	race.Skip(t)
	client, server := start(t, mockserver.WithValidation(mockserver.Report))
	for request := range 15 {
		fields := map[string]any{"node_id": "gpu-node-1", "address": "ftp://me:hush@host", "machine_id": "mine!"}
		for range 200 {
			fields[rand.Text()] = "hush"
		}
		body, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		client.register(string(body)).expect(t, http.StatusOK)
		if got := len(server.Drift().Entries); request == 0 && got != 100+4 {
			t.Errorf("%d entries of one request, want 100 unknown fields and 4 that break the contract", got)
		}
	}
	report := server.Drift()
	if len(report.Entries) != drift.Limit || report.Dropped == 0 {
		t.Errorf("%d entries, %d dropped", len(report.Entries), report.Dropped)
	}
	var shown control.DriftReport
	decode(t, client.do("GET", "/__mock/drift", "").expect(t, http.StatusOK).text, &shown)
	if shown.Dropped != int64(report.Dropped) {
		t.Errorf("the control API says that %d are dropped, want %d", shown.Dropped, report.Dropped)
	}
	if text := strings.Join(drifted(server), "\n"); strings.Contains(text, "hush") {
		t.Errorf("a secret is repeated: %s", text)
	} else if !strings.Contains(text, `(got "ftp://***@host")`) || !strings.Contains(text, `(got "mine!")`) {
		t.Errorf("the values that broke the contract are not shown: %s", text)
	}
	// A hostile query.
	_, fresh := start(t, mockserver.WithValidation(mockserver.Report))
	fresh.ServeHTTP(httptest.NewRecorder(),
		httptest.NewRequest("GET", "http://localhost/v2/nodes?"+strings.Join(names(200), "&"), nil))
	if got := len(fresh.Drift().Entries); got != 100 {
		t.Errorf("%d entries of one query, want 100", got)
	}
	// A hostile body: long, deep and wrong throughout.
	for _, value := range []any{make([]any, 400_000), []any{strings.Repeat("x", 1<<20)}} {
		client.register(edited(t, briefRegistration, "/pools", value)).expect(t, http.StatusOK)
	}
	client.list()
}
