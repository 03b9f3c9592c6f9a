package mockserver_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

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

func takesUnknownFields(t *testing.T) {
	s := inService(t)
	s.register()
	for _, body := range []string{
		`{"timestamp":"now","pools":[],"colour":"red"}`,
		strings.Replace(rustHeartbeat, `"engine":null`, `"engine":"two words","models_available":7`, 1),
	} {
		s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", body)
	}
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat",
		strings.Replace(rustHeartbeat, `"engine":null`, `"models_available":null`, 1))
	long := strings.Repeat("x", 300)
	odd := strings.Replace(rustRegistration, "gpu-node-1", "no id, by the document", 1)
	s.must(200, "POST", "/v2/nodes/register", strings.Replace(odd, `"gpus"`, `"gpu_count":null,"gpus"`, 1))
	s.must(200, "POST", "/v2/nodes/no%20id,%20by%20the%20document/heartbeat", rustHeartbeat)
	s.wantListed("an id that the document does not allow", "gpu-node-1", "no id, by the document")
	s.must(200, "POST", "/v2/nodes/register", strings.Replace(rustRegistration, "machine-alpha", long+" ä", 1))
}

func listsWhatIsFresh(t *testing.T) {
	s := inService(t)
	s.register()
	s.wantListed("registered")
	s.beat()
	s.wantListed("after a heartbeat", "gpu-node-1")
	s.register()
	s.wantListed("registered again")
	s.beat()
	s.pass(30 * time.Second)
	s.wantListed("30 s after a heartbeat", "gpu-node-1")
	s.pass(time.Second)
	s.wantListed("31 s after a heartbeat")
}

func listsInNoOrder(t *testing.T) {
	const count = 80 // more than are read at once
	s := inService(t)
	for i := range count {
		id := fmt.Sprintf("gpu-node-%d", i)
		s.must(200, "POST", "/v2/nodes/register", strings.Replace(rustRegistration, "gpu-node-1", id, 1))
		s.must(200, "POST", "/v2/nodes/"+id+"/heartbeat", rustHeartbeat)
	}
	var ends [2]map[string]bool
	for i := range ends {
		ends[i] = map[string]bool{}
	}
	for range 8 { // by chance the same with a probability of 80⁻⁷
		ids := regexp.MustCompile(`gpu-node-\d+`).FindAllString(s.must(200, "GET", "/v2/nodes", "").text, -1)
		ends[0][ids[0]], ends[1][ids[count-1]] = true, true
	}
	if len(ends[0]) < 2 || len(ends[1]) < 2 {
		t.Errorf("8 lists begin with %v and end with %v", ends[0], ends[1])
	}
}

func staysOffline(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	s.pass(50 * time.Second)
	s.beat()
	s.wantListed("after a heartbeat that came too late")
	s.register()
	s.beat()
	s.wantListed("after it has registered again", "gpu-node-1")
}

func checksEveryTenSeconds(t *testing.T) {
	s := inService(t)
	s.pass(time.Second)
	s.register()
	s.beat()
	s.pass(35 * time.Second) // 36 s after a check, and 6 s after the last one
	s.beat()
	s.wantListed("after a heartbeat before the check", "gpu-node-1")
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

func hasMetrics(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	metrics := s.call("GET", "/metrics", "", "Accept-Encoding: gzip", // and all that Prometheus may ask for
		"Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited").text
	for _, outcome := range []string{"success", "error", "unauthorized", "cloud_disabled"} {
		for _, want := range []string{
			`orchd_node_registrations_total{outcome="%s"} `, `orchd_node_deregistrations_total{outcome="%s"} `,
			`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="%s"} `,
		} {
			if want = "\n" + fmt.Sprintf(want, outcome); !strings.Contains(metrics, want) {
				t.Errorf("the metrics lack %s", want)
			}
		}
	}
}

func countsInService(t *testing.T) {
	s := inService(t, mockserver.WithTokens("secret"))
	s.call("POST", "/v2/nodes/register", rustRegistration)
	s.call("POST", "/v2/nodes/register", rustRegistration, "Authorization: Bearer secret")
	s.call("POST", "/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat, "Authorization: Bearer secret")
	s.call("POST", "/v2/nodes/gpu-node-2/heartbeat", rustHeartbeat, "Authorization: Bearer secret")
	for _, refused := range []string{"{", "{}", rustHeartbeat + strings.Repeat(" ", 2<<20)} { // no handler sees it
		s.call("POST", "/v2/nodes/gpu-node-1/heartbeat", refused, "Authorization: Bearer secret")
	}
	metrics := s.call("GET", "/metrics", "").text
	for _, want := range []string{
		`orchd_node_registrations_total{outcome="success"} 1`,
		`orchd_node_registrations_total{outcome="unauthorized"} 0`,
		"# TYPE orchd_nodes_online gauge\n", "# TYPE orchd_pools_available gauge\n",
		`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="success"} 1`,
		`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="error"} 0`,
		`orchd_node_heartbeats_total{node_id="other",outcome="error"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(metrics, "\norchd_nodes_online ") || strings.Contains(metrics, "\norchd_pools_available ") {
		t.Errorf("what is never set has a value:\n%s", metrics)
	}
	off := inService(t, mockserver.WithCloudProfile(false))
	off.call("POST", "/v2/nodes/register", rustRegistration)
	off.call("DELETE", "/v2/nodes/gpu-node-1", "")
	off.call("POST", "/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
	metrics = off.call("GET", "/metrics", "").text
	for _, want := range []string{
		`orchd_node_registrations_total{outcome="cloud_disabled"} 0`,
		`orchd_node_deregistrations_total{outcome="cloud_disabled"} 0`,
		`orchd_node_heartbeats_total{node_id="other",outcome="cloud_disabled"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("while the profile is off, the metrics lack %s", want)
		}
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
