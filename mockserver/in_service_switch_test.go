package mockserver_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

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
