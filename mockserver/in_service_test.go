package mockserver_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// service is a mock that behaves as the orchestratord in service.
type service struct {
	*mockserver.Server
	t     *testing.T
	url   string
	clock *clock.Clock
}

func inService(t *testing.T, options ...mockserver.Option) *service {
	t.Helper()
	s := &service{t: t, clock: clock.PausedAt(time.UnixMilli(1_700_000_000_000))}
	s.serve(append(options, mockserver.WithDialect(mockserver.InService), mockserver.WithClock(s.clock),
		mockserver.WithHeartbeatInterval(5*time.Second))...) // which no answer shows
	return s
}

func (s *service) serve(options ...mockserver.Option) {
	s.t.Helper()
	var err error
	if s.Server, err = mockserver.New(options...); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.Close)
	listener := httptest.NewServer(s.Server)
	s.t.Cleanup(listener.Close)
	s.url = listener.URL
}

// answered is an answer with its body.
type answered struct {
	*http.Response
	text string
}

// call makes a call with headers, such as "Authorization: Bearer x".
func (s *service) call(method, path, body string, headers ...string) answered {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answered{response, string(text)}
}

// must makes a call that has to have a status.
func (s *service) must(status int, method, path, body string) answered {
	s.t.Helper()
	got := s.call(method, path, body)
	if got.StatusCode != status {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, got.StatusCode, got.text, status)
	}
	return got
}

func (s *service) register() {
	s.t.Helper()
	s.must(200, "POST", "/v2/nodes/register", rustRegistration)
}

func (s *service) beat() {
	s.t.Helper()
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
}

func (s *service) pass(d time.Duration) {
	s.t.Helper()
	if err := s.clock.Advance(d); err != nil {
		s.t.Fatal(err)
	}
}

// listed returns the ids of the nodes that are listed.
func (s *service) listed() []string {
	s.t.Helper()
	var list struct {
		Nodes []struct {
			NodeID string `json:"node_id"`
		}
		Count int
	}
	if err := json.Unmarshal([]byte(s.must(200, "GET", "/v2/nodes", "").text), &list); err != nil {
		s.t.Fatal(err)
	}
	ids := []string{}
	for _, node := range list.Nodes {
		ids = append(ids, node.NodeID)
	}
	if slices.Sort(ids); list.Count != len(ids) {
		s.t.Errorf("%d nodes are listed, and counted as %d", len(ids), list.Count)
	}
	return ids
}

func (s *service) wantListed(when string, want ...string) {
	s.t.Helper()
	if got := s.listed(); !slices.Equal(got, append([]string{}, want...)) {
		s.t.Errorf("%s: listed are %q, want %q", when, got, want)
	}
}

// sameJSON reports whether two texts are the same JSON.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var values [2]any
	for i, text := range []string{a, b} {
		if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
			t.Fatalf("%s is not JSON: %v", text, err)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
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

func refusesInService(t *testing.T) {
	const register, heartbeat = "/v2/nodes/register", "/v2/nodes/gpu-node-1/heartbeat"
	open, closed := inService(t), inService(t, mockserver.WithTokens("secret"))
	off := inService(t, mockserver.WithCloudProfile(false))
	tests := map[string]struct {
		at           *service
		method, path string
		body         string
		header       string
		status       int
		contentType  string
		text         string // what the body begins with; "-" for no body
	}{
		"401":                 {closed, "POST", register, rustRegistration, "", 401, "", "-"},
		"401 before all else": {closed, "POST", register, "{", "Content-Type: text/xml", 401, "", "-"},
		"415": {
			open, "POST", register, rustRegistration, "Content-Type: text/plain", 415, "text/plain; charset=utf-8",
			"Expected request with `Content-Type: application/json`",
		},
		"415 for JSON of nothing": {
			open, "POST", register, rustRegistration, "Content-Type: application/+json", 415,
			"text/plain; charset=utf-8", "Expected request with",
		},
		"415 before 400": {
			open, "POST", register, "{", "Content-Type: text/plain", 415, "text/plain; charset=utf-8", "",
		},
		"400": {
			open, "POST", register, "{", "", 400, "text/plain; charset=utf-8",
			"Failed to parse the request body as JSON",
		},
		"422": {
			open, "POST", register, `{"pools":[]}`, "", 422, "text/plain; charset=utf-8",
			"Failed to deserialize the JSON body into the target type",
		},
		"422 before 503": {off, "POST", register, `{"pools":[]}`, "", 422, "text/plain; charset=utf-8", ""},
		"422 before 404": {open, "POST", heartbeat, briefHeartbeat, "", 422, "text/plain; charset=utf-8", ""},
		"404 of a heartbeat": {
			open, "POST", heartbeat, rustHeartbeat, "", 404, "application/json",
			`{"success":false,"next_heartbeat_ms":10000}`,
		},
		"404 of a deregistration": {open, "DELETE", "/v2/nodes/gpu-node-1", "", "", 404, "", "-"},
		"503 of a registration": {
			off, "POST", register, rustRegistration, "", 503, "application/json",
			`{"success":false,"message":"Cloud profile not enabled. Set ORCHESTRATORD_CLOUD_PROFILE=true",` +
				`"node_id":"gpu-node-1"}`,
		},
		"503 before 404": {
			off, "POST", heartbeat, rustHeartbeat, "", 503, "application/json",
			`{"success":false,"next_heartbeat_ms":10000}`,
		},
		"503 of a deregistration": {off, "DELETE", "/v2/nodes/gpu-node-1", "", "", 503, "", "-"},
		"503 of a list": {
			off, "GET", "/v2/nodes", "", "", 503, "application/json", `{"error":"Cloud profile not enabled"}`,
		},
		"405":                                    {open, "PUT", register, "", "", 405, "", "-"},
		"405 where the path of a node would fit": {open, "DELETE", register, "", "", 405, "", "-"},
		"400 of an id that is not UTF-8": {
			open, "POST", "/v2/nodes/%ff/heartbeat", "", "", 400, "text/plain; charset=utf-8",
			"Invalid URL: Invalid UTF-8 in `id`",
		},
		"400 of an id that is not UTF-8, to deregister": {
			open, "DELETE", "/v2/nodes/%c3%28", "", "", 400, "text/plain; charset=utf-8",
			"Invalid URL: Invalid UTF-8 in `id`",
		},
		"404 of a path":         {open, "GET", "/v2/node", "", "", 404, "", "-"},
		"401 before 404":        {closed, "GET", "/v2/node", "", "", 401, "", "-"},
		"401 before 405":        {closed, "PUT", register, "", "", 401, "", "-"},
		"401 of another scheme": {closed, "GET", "/v2/nodes", "", "Authorization: bearer secret", 401, "", "-"},
		"400 before 413":        {open, "POST", register, tooLong("{"), "", 400, "text/plain; charset=utf-8", ""},
		"422 before 413": {
			open, "POST", register, tooLong(`{"pools":[]}`), "", 422, "text/plain; charset=utf-8", "",
		},
		"413 before 503": {
			off, "POST", register, tooLong(rustRegistration), "", 413, "text/plain; charset=utf-8",
			"Failed to buffer the request body: length limit exceeded",
		},
		"413 before 404": {open, "POST", heartbeat, tooLong(rustHeartbeat), "", 413, "text/plain; charset=utf-8", ""},
		"413 of a body that nobody reads": {
			open, "POST", register, tooLong(tooLong("{")), "", 413, "text/plain; charset=utf-8", "",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if len(test.body) > 1<<20 {
				race.Skip(t)
			}
			s := &service{test.at.Server, t, test.at.url, test.at.clock}
			headers := []string{"X-Correlation-Id: call-1"}
			if test.header != "" {
				headers = append(headers, test.header)
			}
			got := s.call(test.method, test.path, test.body, headers...)
			if got.StatusCode != test.status || got.Header.Get("Content-Type") != test.contentType {
				t.Errorf("answered %d with %q, want %d with %q", got.StatusCode, got.Header.Get("Content-Type"),
					test.status, test.contentType)
			}
			good := strings.HasPrefix(got.text, test.text)
			switch {
			case test.text == "-":
				good = got.text == ""
			case test.contentType == "application/json":
				good = sameJSON(t, got.text, test.text)
			}
			if !good {
				t.Errorf("body: %s, want %s", got.text, test.text)
			}
			wantID := "call-1"
			if test.status == 401 {
				wantID = ""
			}
			if id := got.Header.Get("X-Correlation-Id"); id != wantID {
				t.Errorf("correlation id: %q, want %q", id, wantID)
			}
			for _, name := range []string{
				"Www-Authenticate", "Retry-After", "Accept-Encoding",
				"X-Content-Type-Options",
			} {
				if value := got.Header.Get(name); value != "" {
					t.Errorf("%s: %s", name, value)
				}
			}
		})
	}
}

func refusesTheBrief(t *testing.T) {
	s := inService(t)
	const refused = "Failed to deserialize the JSON body into the target type: "
	want := refused + "capabilities: missing field `gpus` at line 10 column 3"
	if got := s.must(422, "POST", "/v2/nodes/register", briefRegistration); got.text != want {
		t.Errorf("register: %s, want %s", got.text, want)
	}
	s.register()
	want = refused + "pools[0]: missing field `draining` at line 8 column 5"
	if got := s.must(422, "POST", "/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat); got.text != want {
		t.Errorf("heartbeat: %s, want %s", got.text, want)
	}
	for _, field := range []string{"pool_id", "ready", "draining", "slots_free", "slots_total", "vram_free_bytes"} {
		lacking := regexp.MustCompile(`"`+field+`":[^,]*,`).ReplaceAllString(rustHeartbeat, "")
		got := s.must(422, "POST", "/v2/nodes/gpu-node-1/heartbeat", lacking)
		want := fmt.Sprintf("pools[0]: missing field `%s` at line 1 column %d", field, len(lacking)-len("]}"))
		if !strings.HasSuffix(got.text, want) {
			t.Errorf("heartbeat: %s, want %s", got.text, want)
		}
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
	for range 20 { // by chance the same with a probability of 80⁻¹⁹
		ids := regexp.MustCompile(`gpu-node-\d+`).FindAllString(s.must(200, "GET", "/v2/nodes", "").text, -1)
		ends[0][ids[0]], ends[1][ids[count-1]] = true, true
	}
	if len(ends[0]) < 2 || len(ends[1]) < 2 {
		t.Errorf("20 lists begin with %v and end with %v", ends[0], ends[1])
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

// tooLong puts spaces of more than 2 MiB behind a body.
func tooLong(body string) string { return body + strings.Repeat(" ", 2<<20) }

// TestDialectIsSwitched switches to the dialect and back, with a node on record.
func TestDialectIsSwitched(t *testing.T) {
	s := inService(t)
	s.register()
	s.wantListed("in service, before the first heartbeat")
	s.must(200, "PATCH", "/__mock/settings", `{"dialect":"document"}`)
	s.wantListed("by the document", "gpu-node-1")
	s.must(200, "POST", "/v2/nodes/register", briefRegistration)
	s.must(422, "POST", "/v2/nodes/register", rustRegistration)
	s.must(200, "PATCH", "/__mock/settings", `{"dialect":"in-service"}`)
	s.must(422, "POST", "/v2/nodes/register", briefRegistration)
	s.must(422, "PATCH", "/__mock/settings", `{"dialect":"french"}`)
}

// TestReasonsInService has calls fail for other reasons than the cloud profile. The answers have them.
func TestReasonsInService(t *testing.T) {
	const detail = `my "words"`
	for call, want := range map[string]map[string]string{
		"POST /v2/nodes/register": {
			"429 500 503 404": `{"success":false,"message":"my \"words\"","node_id":"gpu-node-1"}`,
			"400 413 415 422": detail,
		},
		"POST /v2/nodes/gpu-node-1/heartbeat": {"404 429 500 503": `{"success":false,"next_heartbeat_ms":10000}`},
		"DELETE /v2/nodes/gpu-node-1":         {"404 429 500 503": ""},
		"GET /v2/nodes":                       {"404 429 500 503": `{"error":"my \"words\""}`},
	} {
		method, path, _ := strings.Cut(call, " ")
		body := map[bool]string{true: rustRegistration}[strings.HasSuffix(path, "register")]
		for statuses, want := range want {
			for code := range strings.FieldsSeq(statuses) {
				status, _ := strconv.Atoi(code)
				s := inService(t, mockserver.WithFaults(map[string]control.FaultDefinition{"it": {
					Rules: []control.FaultRule{{
						Effect: control.FaultEffect{Status: new(int32(status)), Detail: new(detail)},
					}},
				}}))
				got := s.must(status, method, path, body).text
				if got != want && (!strings.HasPrefix(want, "{") || !sameJSON(t, got, want)) {
					t.Errorf("%s with a fault of %d: %s, want %s", call, status, got, want)
				}
			}
		}
	}
	full := inService(t, mockserver.WithMaxNodes(1))
	full.register()
	got := full.must(503, "POST", "/v2/nodes/register", strings.Replace(rustRegistration, "gpu-node-1", "b", 1))
	if !strings.Contains(got.text, "as many nodes are registered as this orchestratord takes") {
		t.Errorf("beyond the limit: %s", got.text)
	}
}

// TestChangedDialect changes the dialect while the mock runs: what becomes of nodes goes by the one in force.
func TestChangedDialect(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	s.pass(time.Minute)
	s.beat()
	s.wantListed("in service, after a minute of silence")
	set := func(dialect control.Dialect) {
		s.must(200, "PATCH", "/__mock/settings", fmt.Sprintf(`{"dialect": %q}`, dialect))
	}
	set(control.DialectDocument)
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
	if node, _ := s.Node("gpu-node-1"); node.Status != nodeapi.NodeStatusOnline {
		t.Errorf("by the document a heartbeat makes the node %s", node.Status)
	}
	s.must(200, "POST", "/v2/nodes/register", serviceRegistration)
	s.beat()
	set(control.DialectInService)
	s.wantListed("in service again", "gpu-node-1")
	list := s.must(200, "GET", "/v2/nodes", "").text
	if unknown := regexp.MustCompile("gpu_count|total_vram_mb|cuda_version").FindString(list); unknown != "" {
		t.Errorf("%s is listed in service: %s", unknown, list)
	}
	s.pass(time.Minute)
	s.beat()
	s.wantListed("in service again, after a minute of silence")
}

// TestDialectAndTimeoutChangeTogether changes both while a node that has just registered is silent. It is Offline by
// neither the dialect and the timeout before nor those after, but would be by a mixture.
func TestDialectAndTimeoutChangeTogether(t *testing.T) {
	s := inService(t, mockserver.WithNodeTimeout(15*time.Second))
	s.register()
	s.pass(20 * time.Second)
	for _, change := range []string{
		`{"dialect": "document", "node_timeout_ms": 60000}`, `{"dialect": "in-service", "node_timeout_ms": 15000}`,
	} {
		s.must(200, "PATCH", "/__mock/settings", change)
		if node, _ := s.Node("gpu-node-1"); node.Status != nodeapi.NodeStatusRegistering {
			t.Errorf("after %s the node is %s", change, node.Status)
		}
	}
}
