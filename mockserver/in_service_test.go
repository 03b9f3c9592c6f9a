package mockserver_test

import (
	"net/http"
	"net/http/httptest"
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

func asksEveryTenSeconds(t *testing.T) {
	s := inService(t, mockserver.WithHeartbeatInterval(time.Second))
	s.register()
	if got := s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat).text; !strings.Contains(got,
		`"next_heartbeat_ms":10000`) {
		t.Errorf("answered %s", got)
	}
}

func answersInService(t *testing.T) {
	s := inService(t)
	got := s.must(200, "POST", "/v2/nodes/register", rustRegistration)
	if want := `{"success":true,"message":"Registered successfully","node_id":"gpu-node-1"}`; !sameJSON(t, got.text,
		want) {
		t.Errorf("register: %s, want %s", got.text, want)
	}
	if value := got.Header.Get("X-Content-Type-Options"); value != "" {
		t.Errorf("X-Content-Type-Options: %s", value)
	}
	got = s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
	if want := `{"success":true,"next_heartbeat_ms":10000}`; !sameJSON(t, got.text, want) {
		t.Errorf("heartbeat: %s, want %s", got.text, want)
	}
	got = s.must(200, "GET", "/v2/nodes", "")
	want := `{"nodes":[{"node_id":"gpu-node-1","machine_id":"machine-alpha","address":"http://127.0.0.1:9200",` +
		`"pools":["pool-0"],"capabilities":{"gpus":[{"device_id":0,"name":"NVIDIA GeForce RTX 3090",` +
		`"vram_total_bytes":24000000000,"compute_capability":"8.6"}],"cpu_cores":null,"ram_total_bytes":null},` +
		`"status":"Online","registered_at_ms":1700000000000,"last_heartbeat_ms":1700000000000,"version":null}],` +
		`"count":1}`
	if !sameJSON(t, got.text, want) {
		t.Errorf("list:\n%s, want\n%s", got.text, want)
	}
	s.must(200, "POST", "/v2/nodes/register",
		strings.NewReplacer("machine-alpha", "", "http://127.0.0.1:9200", "").Replace(rustRegistration))
	s.beat()
	if got = s.must(200, "GET", "/v2/nodes", ""); !strings.Contains(got.text, `"machine_id":""`) ||
		!strings.Contains(got.text, `"address":""`) {
		t.Errorf("list of empty texts: %s", got.text)
	}
	got = s.must(204, "DELETE", "/v2/nodes/gpu-node-1", "")
	if got.text != "" {
		t.Errorf("deregister: %s", got.text)
	}
}

func mergesPools(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	another := strings.Replace(rustHeartbeat, "pool-0", "pool-1", 1)
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", another)
	wantPools := func(when string) {
		t.Helper()
		node, known := s.Node("gpu-node-1")
		var ids []string
		for _, pool := range node.Pools {
			ids = append(ids, pool.PoolID)
		}
		if !known || !slices.Equal(ids, []string{"pool-0", "pool-1"}) {
			t.Errorf("%s: the pools are %q", when, ids)
			return
		}
		if first := node.Pools[0]; !first.Ready || first.SlotsFree != 3 {
			t.Errorf("%s: the pool that was left out is %+v", when, first)
		}
	}
	wantPools("after two heartbeats")
	s.register()
	wantPools("registered again")
	s.must(204, "DELETE", "/v2/nodes/gpu-node-1", "")
	s.register()
	wantPools("back after a deregistration")
}

func discards(t *testing.T) {
	s := inService(t)
	s.register()
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat",
		strings.Replace(rustHeartbeat, `"engine":null`, `"models_available":["m"]`, 1))
	node, _ := s.Node("gpu-node-1")
	if node.Registration.Version != nil || node.Pools[0].ModelsAvailable != nil {
		t.Errorf("kept: version %v, models %v", node.Registration.Version, node.Pools[0].ModelsAvailable)
	}
}

func routesInService(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	for call, want := range map[string]string{
		"DELETE /v2/nodes/register":         "POST",
		"GET /v2/nodes/register":            "POST",
		"PUT /v2/nodes":                     "GET,HEAD",
		"PUT /v2/nodes/gpu-node-1":          "DELETE",
		"GET /v2/nodes/register/heartbeat":  "POST",
		"HEAD /v2/nodes/gpu-node-1":         "DELETE",
		"HEAD /v2/nodes/register/heartbeat": "POST",
	} {
		method, path, _ := strings.Cut(call, " ")
		if got := s.must(405, method, path, ""); got.Header.Get("Allow") != want {
			t.Errorf("%s: allowed is %q, want %q", call, got.Header.Get("Allow"), want)
		}
	}
	list := s.must(200, "GET", "/v2/nodes", "")
	head := s.must(200, "HEAD", "/v2/nodes", "")
	if head.text != "" || head.Header.Get("Content-Type") != list.Header.Get("Content-Type") {
		t.Errorf("HEAD: %v %q", head.Header, head.text)
	}
	journal := s.must(200, "GET", "/__mock/journal?operation=listNodes&limit=1", "").text
	if !strings.Contains(journal, `"method":"HEAD"`) {
		t.Errorf("the last list in the journal: %s", journal)
	}
}
