package mockserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

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
