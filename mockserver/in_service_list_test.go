package mockserver_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

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
	nodes := fleet(t, count)
	for i := range nodes {
		nodes[i].LastHeartbeat = s.clock.Now()
	}
	s.Load(nodes)
	var ends [2]map[string]bool
	for i := range ends {
		ends[i] = map[string]bool{}
	}
	for range 8 { // by chance the same with a probability of 80⁻⁷
		ids := regexp.MustCompile(`node-\d{6}`).FindAllString(s.must(200, "GET", "/v2/nodes", "").text, -1)
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
