package mockserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// inServiceRequirements are what is known of the orchestratord in service, line by line, each with
// the test that the mock behaves so in this dialect.
var inServiceRequirements = []struct {
	says  string
	holds func(t *testing.T)
}{
	{"register, heartbeat, deregistration and list are answered so", answersInService},
	{"a node is Registering until its first heartbeat", registersInService},
	{"node status values are Registering, Online, Draining, Offline, Failed; only Online is listed", hasStatuses},
	{"no token configured means that every call is allowed; GET /v2/nodes needs one like every call", wantsTokens},
	{
		"it checks in this order: 401, 415, 400, 422, 413, 503, 404; its error bodies are not problem+json",
		refusesInService,
	},
	{"GET /v2/nodes lists only nodes that are Online and fresh", listsWhatIsFresh},
	{"its order is random", listsInNoOrder},
	{"Offline is sticky there: it stays off the list until it registers again", staysOffline},
	{"nodes are marked Offline by a check every 10 s after ORCHESTRATORD_NODE_TIMEOUT_MS", checksEveryTenSeconds},
	{"ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS", checksAtAnotherInterval},
	{"the list itself leaves out what is older than 30 s, whatever the timeout", leavesOutAfter30s},
	{"a wall clock that steps back takes every node off the list, for good where the check runs meanwhile", stepsBack},
	{"heartbeats are merged there, pool by pool", mergesPools},
	{"models_available and version are read and thrown away there", discards},
	{"its metrics are orchd_node_registrations_total{outcome}, …; outcomes: success, error, …", hasMetrics},
	{"it does not count calls that get 401, counts no registrations while the profile is off", countsInService},
	{"it answers 200 to unknown fields, and takes any string as a timestamp", takesUnknownFields},
	{"every answer but a 401 carries x-correlation-id, echoed or made up", correlatesInService},
	{
		"it refuses a register whose capabilities lack gpus, and a heartbeat whose pools lack draining, …",
		refusesTheBrief,
	},
	{"gpus is a list, possibly empty, of {device_id, name, vram_total_bytes, compute_capability}", needsGPUs},
	{"with the cloud profile switched off, every call gets 503; a register's says why", servesNothing},
	{"its router takes HEAD for GET, and /v2/nodes/register for no node", routesInService},
	{"422 and 400 say where and why, in the words of its JSON library", saysWhy},
	{"capabilities may also carry cpu_cores and ram_total_bytes, a pool engine and models_available", takesMore},
	{"the Rust node sends null for an optional value that it does not have", takesTheRustNode},
	{"a number may have 32 bits, and one of bytes 64", takesLargeNumbers},
	{"it has no setting for the interval: next_heartbeat_ms is always 10000", asksEveryTenSeconds},
}

func TestInService_heavy(t *testing.T) {
	for _, requirement := range inServiceRequirements {
		t.Run(requirement.says, requirement.holds)
	}
}

func registersInService(t *testing.T) {
	s := inService(t)
	s.register()
	if node, _ := s.Node("gpu-node-1"); node.Status != "Registering" {
		t.Errorf("registered: %s", node.Status)
	}
	s.beat()
	if node, _ := s.Node("gpu-node-1"); node.Status != "Online" {
		t.Errorf("after a heartbeat: %s", node.Status)
	}
}

func hasStatuses(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	for _, status := range []string{"Registering", "Online", "Draining", "Offline", "Failed", "Lost"} {
		got := s.call("PUT", "/__mock/nodes/gpu-node-1/status", fmt.Sprintf(`{"status":%q}`, status))
		if status == "Lost" {
			if got.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s, which there is not: %d", status, got.StatusCode)
			}
			continue
		}
		node, _ := s.Node("gpu-node-1")
		listed := strings.Contains(s.call("GET", "/v2/nodes", "").text, "gpu-node-1")
		if got.StatusCode != http.StatusOK || string(node.Status) != status || listed != (status == "Online") {
			t.Errorf("%s: %d, it is %s, listed: %t", status, got.StatusCode, node.Status, listed)
		}
	}
}

func wantsTokens(t *testing.T) {
	open, closed := inService(t), inService(t, mockserver.WithTokens("secret"))
	for _, call := range []string{"GET /v2/nodes", "DELETE /v2/nodes/gpu-node-1", "DELETE /v2/nodes/%FF"} {
		method, path, _ := strings.Cut(call, " ")
		if got := open.call(method, path, ""); got.StatusCode == http.StatusUnauthorized {
			t.Errorf("%s without tokens: %d", call, got.StatusCode)
		}
		if got := closed.call(method, path, ""); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", call, got.StatusCode)
		}
		if got := closed.call(method, path, "",
			"Authorization:  Bearer  secret "); got.StatusCode == http.StatusUnauthorized {
			t.Errorf("%s with a token: %d", call, got.StatusCode)
		}
	}
}

func checksAtAnotherInterval(t *testing.T) {
	s := inService(t, mockserver.WithStaleCheckInterval(time.Minute))
	s.clock.Advance(time.Minute - time.Duration(s.clock.Now().UnixNano())%time.Minute) // a check
	s.register()
	s.beat()
	s.pass(59 * time.Second)
	s.beat()
	s.wantListed("after a heartbeat before the check", "gpu-node-1")
	s.pass(61 * time.Second)
	s.beat()
	s.wantListed("after a check that comes 61 s after a heartbeat")
}

func leavesOutAfter30s(t *testing.T) {
	s := inService(t, mockserver.WithNodeTimeout(time.Hour))
	s.register()
	s.beat()
	s.pass(31 * time.Second)
	s.wantListed("31 s after a heartbeat")
	s.beat()
	s.wantListed("after another one", "gpu-node-1")
}

// The clock of the mock never runs backwards: a fault does what such a step would.
func stepsBack(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	s.Faults().Switch("clock-step", true)
	s.pass(20 * time.Second)
	s.beat()
	s.wantListed("after the step")
	s.pass(10 * time.Second)
	s.beat()
	s.wantListed("after another heartbeat")
	s.register()
	s.beat()
	s.wantListed("registered again", "gpu-node-1")
}

func correlatesInService(t *testing.T) {
	s := inService(t)
	s.register()
	for _, id := range []string{"call-1", "any text, even (this)", "~", strings.Repeat("x", 300)} {
		for _, call := range []string{
			"GET /v2/nodes", "POST /v2/nodes/register", "DELETE /v2/nodes/gpu-node-2",
			"PUT /v2/nodes",
		} {
			method, path, _ := strings.Cut(call, " ")
			if got := s.call(method, path, "", "X-Correlation-Id: "+id); got.Header.Get("X-Correlation-Id") != id {
				t.Errorf("%s: %d with %v", call, got.StatusCode, got.Header)
			}
		}
	}
	twice := httptest.NewRequest("GET", "/v2/nodes", nil)
	twice.Header["X-Correlation-Id"] = []string{"call-1", "call-2"}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, twice)
	if got := answer.Header()["X-Correlation-Id"]; !slices.Equal(got, []string{"call-1"}) {
		t.Errorf("echoed of two: %q", got)
	}
	for _, header := range []string{"Accept: */*", "X-Correlation-Id: caf\u00e9"} {
		id := s.call("GET", "/v2/nodes", "", header).Header.Get("X-Correlation-Id")
		if id == "" || strings.HasPrefix(id, "caf") {
			t.Errorf("made up for %q: %q", header, id)
		}
	}
}

func needsGPUs(t *testing.T) {
	s := inService(t)
	s.must(200, "POST", "/v2/nodes/register",
		regexp.MustCompile(`"gpus":\[.*\]`).ReplaceAllString(rustRegistration, `"gpus":[]`))
	for _, field := range []string{"device_id", "name", "vram_total_bytes", "compute_capability"} {
		other := strings.Replace(rustRegistration, `"`+field+`"`, `"another"`, 1)
		got := s.must(422, "POST", "/v2/nodes/register", other)
		if !strings.Contains(got.text, ": capabilities.gpus[0]: missing field `"+field+"` at line 1 column ") {
			t.Errorf("without %s: %s", field, got.text)
		}
	}
}

func servesNothing(t *testing.T) {
	s := inService(t, mockserver.WithCloudProfile(false))
	for call, body := range map[string]string{
		"GET /v2/nodes": "", "DELETE /v2/nodes/gpu-node-1": "",
		"POST /v2/nodes/register": rustRegistration, "POST /v2/nodes/gpu-node-1/heartbeat": rustHeartbeat,
	} {
		method, path, _ := strings.Cut(call, " ")
		got := s.must(503, method, path, body)
		says := strings.Contains(got.text, `"Cloud profile not enabled. Set ORCHESTRATORD_CLOUD_PROFILE=true"`)
		if strings.HasSuffix(path, "register") && !says {
			t.Errorf("%s: %s", call, got.text)
		}
	}
}

// faultsInService are bodies of heartbeats, and what is said of them.
func faultsInService() map[string]string {
	const slots = "pools[0].slots_free: invalid "
	pool := func(slots string) string { return `{"timestamp":"now","pools":[{"pool_id":"p","slots_free":` + slots }
	return map[string]string{
		pool(`"x","ready":true}]}`): slots + `type: string "x", expected u32 at line 1 column 59`,
		pool(`3.0}]}`):              slots + "type: floating point `3.0`, expected u32 at line 1 column 59",
		pool(`1e3}]}`):              slots + "type: floating point `1000.0`, expected u32 at line 1 column 59",
		pool(`-1}]}`):               slots + "value: integer `-1`, expected u32 at line 1 column 58",
		pool(`4294967296}]}`):       slots + "value: integer `4294967296`, expected u32 at line 1 column 66",
		pool(`null}]}`):             slots + "type: null, expected u32 at line 1 column 60",
		pool(`"` + strings.Repeat("x", 2000) + `"}]}`): slots + `type: string "` + strings.Repeat("x", 1023) +
			`…", expected u32 at line 1 column 2058`,
		pool(`[3]}]}`): slots + "type: sequence, expected u32 at line 1 column 56",

		pool("3,\n\"slots_free\" :3}]}"): "pools[0]: duplicate field `slots_free` at line 2 column 13",

		`{"pools":{},"timestamp":1}`: "pools: invalid type: map, expected a sequence at line 1 column 9",
		`{"timestamp":1}`:            "timestamp: invalid type: integer `1`, expected a string at line 1 column 14",
		`{"x":"é","pools":1}`:        "pools: invalid type: integer `1`, expected a sequence at line 1 column 19",
		`{"timestamp":true}`:         "timestamp: invalid type: boolean `true`, expected a string at line 1 column 17",
		`{"pools":[]}`:               "missing field `timestamp` at line 1 column 12",
		`{"x":{"y":[1,{}]}}`:         "missing field `timestamp` at line 1 column 18",

		`{"timestamp":"","pools":[{}],"x":1}`: "pools[0]: missing field `pool_id` at line 1 column 27",

		`[]`:   "invalid length 0, expected struct HeartbeatRequest with 2 elements at line 1 column 2",
		`null`: "invalid type: null, expected struct HeartbeatRequest at line 1 column 4",

		pool("3,\"ready\":true}]}"): "pools[0]: missing field `draining` at line 1 column 71",
	}
}

func asksEveryTenSeconds(t *testing.T) {
	s := inService(t, mockserver.WithHeartbeatInterval(time.Second))
	s.register()
	if got := s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat).text; !strings.Contains(got,
		`"next_heartbeat_ms":10000`) {
		t.Errorf("answered %s", got)
	}
}

// wantFields looks for the names of fields in an answer. Recorded traffic has those of the
// registration besides.
func (s *service) wantFields(path, registration, has, lacks string) {
	s.t.Helper()
	text := s.must(200, "GET", path, "").text
	count := func(field string) int {
		found := strings.Count(text, `"`+field+`"`) + strings.Count(text, `"`+field+`\"`)
		if strings.HasSuffix(path, ".har") {
			found -= strings.Count(registration, `"`+field+`"`)
		}
		return found
	}
	for _, field := range strings.Fields(has) {
		if count(field) == 0 {
			s.t.Errorf("%s lacks %s: %s", path, field, text)
		}
	}
	for _, field := range strings.Fields(lacks) {
		if count(field) != 0 {
			s.t.Errorf("%s has %s: %s", path, field, text)
		}
	}
}
