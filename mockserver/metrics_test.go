package mockserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestMetrics looks at all samples that are not zero, of histograms the count.
func TestMetrics(t *testing.T) {
	const mixedHeartbeat = `{"timestamp": "2025-10-01T00:00:00Z", "pools": [
		{"pool_id": "pool-0", "ready": true, "slots_free": 4, "draining": false},
		{"pool_id": "pool-1", "ready": true, "slots_free": 4},
		{"pool_id": "pool-2", "ready": true, "slots_free": 4, "draining": true},
		{"pool_id": "pool-3", "ready": false, "slots_free": 4}]}`
	now := clock.PausedAt(time.Unix(1_000_000_000, 0))
	bearer := []string{"Content-Type", "application/json", "Authorization", "Bearer secret"}
	for _, test := range []struct {
		name    string
		options []mockserver.Option
		calls   func(*client)
		want    map[string]string
	}{
		{"nothing has happened", nil, func(*client) {}, map[string]string{}},
		{"a life", nil, func(c *client) {
			c.register(briefRegistration)
			c.beat("gpu-node-1", briefHeartbeat)
			c.beat("gpu-node-1", mixedHeartbeat)
			c.list()
		}, map[string]string{
			`orchd_node_registrations_total{outcome="success"}`:                   "1",
			`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="success"}`: "2",
			`orchd_nodes_online`:    "1",
			`orchd_pools_available`: "2",
			`orchd_node_request_duration_seconds_count{operation="registerNode",outcome="success"}`:  "1",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="success"}`: "2",
			`orchd_node_request_duration_seconds_count{operation="listNodes",outcome="success"}`:     "1",
		}},
		{"a node that comes back goes on with its series", nil, func(c *client) {
			c.register(briefRegistration)
			c.beat("gpu-node-1", briefHeartbeat)
			c.deregister("gpu-node-1")
			c.beat("gpu-node-1", briefHeartbeat)
			c.register(briefRegistration)
			c.beat("gpu%2Dnode-1", briefHeartbeat)
			c.deregister("gpu-node-1")
		}, map[string]string{
			`orchd_node_registrations_total{outcome="success"}`:                                       "2",
			`orchd_node_deregistrations_total{outcome="success"}`:                                     "2",
			`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="success"}`:                     "2",
			`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="error"}`:                       "1",
			`orchd_node_request_duration_seconds_count{operation="registerNode",outcome="success"}`:   "2",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="success"}`:  "2",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="error"}`:    "1",
			`orchd_node_request_duration_seconds_count{operation="deregisterNode",outcome="success"}`: "2",
		}},
		{"errors", nil, func(c *client) {
			c.register("{}")
			c.beat("gpu-node-1", briefHeartbeat)
			c.beat("no%20id", "")
			c.deregister("gpu-node-1")
			c.do("PUT", "/v2/nodes", "")
			c.do("GET", "/v2/nodes/none/such", "")
		}, map[string]string{
			`orchd_node_registrations_total{outcome="error"}`:                                       "1",
			`orchd_node_deregistrations_total{outcome="error"}`:                                     "1",
			`orchd_node_heartbeats_total{node_id="other",outcome="error"}`:                          "2",
			`orchd_node_request_duration_seconds_count{operation="registerNode",outcome="error"}`:   "1",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="error"}`:  "2",
			`orchd_node_request_duration_seconds_count{operation="deregisterNode",outcome="error"}`: "1",
		}},
		{"unauthorized", []mockserver.Option{mockserver.WithTokens("secret")}, func(c *client) {
			c.do("POST", "/v2/nodes/register", briefRegistration, bearer...)
			c.do("POST", "/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat, bearer...)
			c.register(briefRegistration)
			c.beat("gpu-node-1", briefHeartbeat)
			c.beat("gpu-node-2", briefHeartbeat)
			c.deregister("gpu-node-1")
		}, map[string]string{
			`orchd_node_registrations_total{outcome="success"}`:                        "1",
			`orchd_node_registrations_total{outcome="unauthorized"}`:                   "1",
			`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="success"}`:      "1",
			`orchd_node_heartbeats_total{node_id="gpu-node-1",outcome="unauthorized"}`: "1",
			`orchd_node_heartbeats_total{node_id="other",outcome="unauthorized"}`:      "1",
			`orchd_node_deregistrations_total{outcome="unauthorized"}`:                 "1",
			`orchd_nodes_online`:    "1",
			`orchd_pools_available`: "1",
			`orchd_node_request_duration_seconds_count{operation="registerNode",outcome="success"}`:        "1",
			`orchd_node_request_duration_seconds_count{operation="registerNode",outcome="unauthorized"}`:   "1",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="success"}`:       "1",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="unauthorized"}`:  "2",
			`orchd_node_request_duration_seconds_count{operation="deregisterNode",outcome="unauthorized"}`: "1",
		}},
		{"cloud profile off", []mockserver.Option{mockserver.WithCloudProfile(false)}, func(c *client) {
			c.register(briefRegistration)
			c.beat("gpu-node-1", briefHeartbeat)
			c.deregister("gpu-node-1")
		}, map[string]string{
			`orchd_node_registrations_total{outcome="cloud_disabled"}`:                                       "1",
			`orchd_node_heartbeats_total{node_id="other",outcome="cloud_disabled"}`:                          "1",
			`orchd_node_deregistrations_total{outcome="cloud_disabled"}`:                                     "1",
			`orchd_node_request_duration_seconds_count{operation="registerNode",outcome="cloud_disabled"}`:   "1",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="cloud_disabled"}`:  "1",
			`orchd_node_request_duration_seconds_count{operation="deregisterNode",outcome="cloud_disabled"}`: "1",
		}},
		{"pools of nodes that are not Online", []mockserver.Option{mockserver.WithClock(now)}, func(c *client) {
			for _, id := range []string{"silent", "draining"} {
				c.register(strings.Replace(briefRegistration, "gpu-node-1", id, 1))
				c.beat(id, briefHeartbeat)
			}
			now.Advance(mockserver.DefaultNodeTimeout)
			c.beat("draining", drainingHeartbeat)
		}, map[string]string{
			`orchd_node_registrations_total{outcome="success"}`:                                      "2",
			`orchd_node_heartbeats_total{node_id="silent",outcome="success"}`:                        "1",
			`orchd_node_heartbeats_total{node_id="draining",outcome="success"}`:                      "2",
			`orchd_node_request_duration_seconds_count{operation="registerNode",outcome="success"}`:  "2",
			`orchd_node_request_duration_seconds_count{operation="heartbeatNode",outcome="success"}`: "3",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := start(t, test.options...)
			test.calls(client)
			got := map[string]string{}
			for series, value := range samples(fetch(t, http.MethodGet, server.URL+"/metrics")) {
				if value != "0" && !strings.Contains(series, "_seconds_bucket") &&
					!strings.Contains(series, "_seconds_sum") {
					got[series] = value
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("samples (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDurationsAreInSeconds has a fault hold an answer back.
func TestDurationsAreInSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := mocktest.InMemory(t, fault(t, "{effect: {latency_ms: 2500}}"))
		answerTo(t, server, "/v2/nodes")
		const want = `
orchd_node_request_duration_seconds_sum{operation="listNodes",outcome="success"} 2.5
`
		if got := string(answerTo(t, server, "/metrics")); !strings.Contains(got, want) {
			t.Errorf("want %s in %s", want, got)
		}
	})
}

// TestMetricsAreBounded_heavy has more nodes come than have series of their own, and as many
// heartbeats of nodes that there are not.
func TestMetricsAreBounded_heavy(t *testing.T) {
	race.Skip(t)
	const nodes, measured = 1500, 1000
	server, err := mockserver.New(mockserver.WithValidation(mockserver.Off))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	post := func(path, body string, want int) {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != want {
			t.Fatalf("POST %s: status %d: %s", path, w.Code, w.Body)
		}
	}
	for i := range nodes {
		id := "node-" + strconv.Itoa(i)
		post("/v2/nodes/made-up-"+id+"/heartbeat", briefHeartbeat, http.StatusNotFound)
		post("/v2/nodes/register", strings.Replace(briefRegistration, "gpu-node-1", id, 1), http.StatusOK)
		post("/v2/nodes/"+id+"/heartbeat", briefHeartbeat, http.StatusOK)
	}
	listener := httptest.NewServer(server)
	defer listener.Close()
	got := samples(fetch(t, http.MethodGet, listener.URL+"/metrics"))
	heartbeats := 0
	for series := range got {
		if strings.HasPrefix(series, "orchd_node_heartbeats_total{") {
			heartbeats++
		}
	}
	const outcomes = 4
	if want := (measured + 1) * outcomes; heartbeats != want {
		t.Errorf("there are %d series of heartbeats, want %d", heartbeats, want)
	}
	for series, want := range map[string]int{
		`orchd_node_heartbeats_total{node_id="node-999",outcome="success"}`: 1,
		`orchd_node_heartbeats_total{node_id="other",outcome="success"}`:    nodes - measured,
		`orchd_node_heartbeats_total{node_id="other",outcome="error"}`:      nodes,
		`orchd_nodes_online`: nodes,
	} {
		if got[series] != fmt.Sprint(want) {
			t.Errorf("%s is %s, want %d", series, got[series], want)
		}
	}
}

// samples returns the values of the samples in an answer, by series.
func samples(a answer) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(string(a.text)) {
		if series, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && series != "#" {
			values[series] = value
		}
	}
	return values
}
