package mockserver_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

func TestTokens(t *testing.T) {
	open, _ := start(t)
	locked, _ := start(t, mockserver.WithTokens("old-token"), mockserver.WithTokens("new-token", "other"))
	for _, test := range []struct {
		authorization string
		status        int
		challenge     string
	}{
		{"Bearer old-token", http.StatusOK, ""},
		{"Bearer new-token", http.StatusOK, ""},
		{"bearer other", http.StatusOK, ""},
		{"BEARER   other", http.StatusOK, ""},
		{"", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Bearer", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Bearer ", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"other", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Basic other", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Bearer Other", http.StatusUnauthorized, `Bearer realm="orchestratord", error="invalid_token"`},
		{"Bearer other other", http.StatusUnauthorized, `Bearer realm="orchestratord", error="invalid_token"`},
		{"Bearer othe", http.StatusUnauthorized, `Bearer realm="orchestratord", error="invalid_token"`},
	} {
		got := locked.do("GET", "/v2/nodes", "", "Authorization", test.authorization)
		if got.StatusCode != test.status || got.Header.Get("WWW-Authenticate") != test.challenge {
			t.Errorf("%q: status %d, challenge %q", test.authorization, got.StatusCode,
				got.Header.Get("WWW-Authenticate"))
		}
		open.do("GET", "/v2/nodes", "", "Authorization", test.authorization).expect(t, http.StatusOK)
	}
}

// TestCloudProfile switches it off: invalid requests get the same answers as before, valid ones
// 503.
func TestCloudProfile(t *testing.T) {
	client, server := start(t, mockserver.WithCloudProfile(false),
		mockserver.WithHeartbeatInterval(2100*time.Millisecond))
	for _, got := range []answer{
		client.register(briefRegistration),
		client.beat("gpu-node-1", briefHeartbeat),
		client.beat("-", briefHeartbeat),
		client.deregister("gpu-node-1"),
		client.do("GET", "/v2/nodes", ""),
	} {
		if p := got.expect(t, http.StatusServiceUnavailable).problem(t); p.Code != "cloud_profile_disabled" {
			t.Errorf("code %s", p.Code)
		}
		if after := got.Header.Get("Retry-After"); after != "3" {
			t.Errorf("Retry-After %q, want the heartbeat interval in full seconds", after)
		}
	}
	client.register("{}").expect(t, http.StatusUnprocessableEntity)
	if nodes := server.Nodes(); len(nodes) != 0 {
		t.Errorf("nodes: %+v", nodes)
	}
}
