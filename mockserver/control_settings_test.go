package mockserver_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func TestSettings(t *testing.T) {
	mock, node, _ := startControlled(t, mockserver.WithTokens("first"))
	ctx := t.Context()
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	node.do("GET", "/v2/nodes", "", bearer("first")...).expect(t, http.StatusOK)

	changed, err := mock.ChangeSettingsWithResponse(ctx, control.SettingsChange{
		Tokens:               &[]string{"second", "third", "third"},
		NodeTimeoutMs:        new(int64(5_000)),
		HeartbeatIntervalMs:  new(int64(1_000)),
		StaleCheckIntervalMs: new(int64(2_000)),
		Validation:           new(control.ValidationReport),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &control.Settings{
		CloudProfile: true, Dialect: control.DialectDocument, Validation: control.ValidationReport,
		NodeTimeoutMs: 5_000, HeartbeatIntervalMs: 1_000, StaleCheckIntervalMs: 2_000, Tokens: 3,
	}
	if diff := cmp.Diff(want, changed.JSON200); diff != "" {
		t.Errorf("settings (-want +got):\n%s%s", diff, changed.Body)
	}
	node.do("GET", "/v2/nodes", "", bearer("first")...).expect(t, http.StatusUnauthorized)
	json := append(bearer("third"), "Content-Type", "application/json")
	node.do("POST", "/v2/nodes/register", rustRegistration, json...).expect(t, http.StatusOK) // as report lets it
	var beat nodeapi.HeartbeatResponse
	decode(t, node.do("POST", "/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat, json...).expect(t, http.StatusOK).text,
		&beat)
	if beat.NextHeartbeatMs != 1_000 {
		t.Errorf("next heartbeat in %d ms", beat.NextHeartbeatMs)
	}

	must(mock.ChangeSettingsWithResponse(ctx, control.SettingsChange{CloudProfile: new(false)}))
	node.do("GET", "/v2/nodes", "", bearer("second")...).expect(t, http.StatusServiceUnavailable)
	must(mock.ResetWithResponse(ctx))
	node.do("GET", "/v2/nodes", "", bearer("first")...).expect(t, http.StatusOK)
}

// TestTimeoutBelowTheInterval sets a node timeout that is shorter than the heartbeat interval, where that
// has no effect.
func TestTimeoutBelowTheInterval(t *testing.T) {
	const short = `{"node_timeout_ms": 4000}`
	_, mock, _ := startControlled(t)
	front := newClient(t, inFront(t, mock.url).URL, http.DefaultTransport)
	for _, change := range []struct {
		of     *client
		body   string
		status int
	}{
		{mock, short, http.StatusUnprocessableEntity},
		{mock, `{"dialect": "in-service"}`, http.StatusOK},
		{mock, short, http.StatusOK},
		{mock, `{"dialect": "document"}`, http.StatusUnprocessableEntity},
		{mock, `{"dialect": "document", "heartbeat_interval_ms": 3000}`, http.StatusOK},
		{front, short, http.StatusOK},
	} {
		change.of.do("PATCH", "/__mock/settings", change.body, "Content-Type", "application/json").
			expect(t, change.status)
	}
}

// TestRefusedSettings asks for changes that are wrong in part. None is made.
func TestRefusedSettings(t *testing.T) {
	_, client, _ := startControlled(t)
	before := client.do("GET", "/__mock/settings", "").text
	for body, want := range map[string]string{
		`{}`: "there must be at least 1 properties",
		`{"cloud_profile": false, "node_timeout_ms": 10000}`: `/node_timeout_ms: must be more than the ` +
			`heartbeat interval of 10000, not 10000`,
		`{"cloud_profile": false, "heartbeat_interval_ms": 30000}`: `/node_timeout_ms: must be more than the ` +
			`heartbeat interval of 30000, not 30000`,
		`{"cloud_profile": false, "heartbeat_interval_ms": 0}`: `/heartbeat_interval_ms: must be 1 or ` +
			`more, not 0`,
		`{"cloud_profile": false, "validation": "lax"}`: `/validation: `,
		`{"cloud_profile": false, "validaton": "off"}`: `/validaton: is no field here, perhaps ` +
			`"validation" is meant`,
		`{"cloud_profile": false, "colour": "red"}`: `/colour: is no field here, but ` +
			`cloud_profile, dialect, heartbeat_interval_ms, node_timeout_ms, stale_check_interval_ms, tokens, ` +
			`validation`,
		`{"cloud_profile": null}`: `/cloud_profile: must be of type boolean,` +
			` not null`,
		`{"cloud_profile": false, "tokens": ["a", "", "b c"]}`:            `/tokens/2: must match`,
		`{"cloud_profile": false, "tokens": "secret"}`:                    `/tokens: must be of type array, not string`,
		`{"cloud_profile": false, "node_timeout_ms": 1e300, "tokens": 1}`: `/tokens: `,
	} {
		got := client.do("PATCH", "/__mock/settings", body, "Content-Type", "application/json").expect(t,
			http.StatusUnprocessableEntity)
		var details []string
		for _, violation := range *got.problem(t).Errors {
			details = append(details, violation.Pointer+": "+violation.Detail)
		}
		if all := strings.Join(details, "\n"); !strings.Contains(all, want) {
			t.Errorf("%s: %s, want %s", body, all, want)
		}
	}
	if after := client.do("GET", "/__mock/settings", "").text; string(after) != string(before) {
		t.Errorf("settings are %s, were %s", after, before)
	}
}

// TestSettingsChangeAtOnce has nodes call while two pairs of settings take turns. No answer
// may come from one half of each.
func TestSettingsChangeAtOnce(t *testing.T) {
	mock, node, _ := startControlled(t, mockserver.WithLogger(nil))
	node.register(briefRegistration).expect(t, http.StatusOK)
	ctx, cancel := context.WithCancel(t.Context())
	var changing sync.WaitGroup
	changing.Go(func() {
		for turn := 0; ctx.Err() == nil; turn++ {
			// Either all may call and are asked for every second, or those with a token for every other.
			change := control.SettingsChange{Tokens: &[]string{}, HeartbeatIntervalMs: new(int64(1000))}
			if turn%2 == 1 {
				change = control.SettingsChange{Tokens: &[]string{"secret"}, HeartbeatIntervalMs: new(int64(2000))}
			}
			if answer, err := mock.ChangeSettingsWithResponse(ctx, change); err == nil && answer.JSON200 == nil {
				t.Errorf("%s", answer.Body)
			}
		}
	})
	seen := map[int64]int{}
	for seen[1000] < 50 {
		var beat nodeapi.HeartbeatResponse
		if got := node.beat("gpu-node-1", briefHeartbeat); got.StatusCode == http.StatusOK {
			decode(t, got.text, &beat)
			seen[beat.NextHeartbeatMs]++
		}
	}
	cancel()
	changing.Wait()
	delete(seen, 10_000) // from before the first turn
	if len(seen) != 1 {
		t.Errorf("without a token, nodes were asked to beat after ms: %v", seen)
	}
}

func TestNewTimeoutTakesEffectAtOnce(t *testing.T) {
	mock, node, server := startControlled(t)
	node.register(briefRegistration).expect(t, http.StatusOK)
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	advance(t, mock, 20*time.Second)
	timeout := func(ms int64) {
		t.Helper()
		answer := must(mock.ChangeSettingsWithResponse(t.Context(),
			control.SettingsChange{NodeTimeoutMs: new(ms), HeartbeatIntervalMs: new(int64(100))}))
		if answer.JSON200 == nil {
			t.Fatalf("%s", answer.Body)
		}
	}
	timeout(60_000)
	read := must(mock.ReadNodeWithResponse(t.Context(), "gpu-node-1"))
	if got := read.JSON200; got == nil || *got.ExpiresAtMs != startMs+60_000 {
		t.Errorf("with a timeout of 60 s: %s", read.Body)
	}
	advance(t, mock, 20*time.Second)
	if status := server.Nodes()[0].Status; status != nodeapi.NodeStatusOnline {
		t.Errorf("after 40 of 60 s the node is %s", status)
	}
	timeout(45_000)
	advance(t, mock, 5*time.Second-time.Millisecond)
	if status := server.Nodes()[0].Status; status != nodeapi.NodeStatusOnline {
		t.Errorf("short of 45 s the node is %s", status)
	}
	advance(t, mock, time.Millisecond)
	if status := server.Nodes()[0].Status; status != nodeapi.NodeStatusOffline {
		t.Errorf("after 45 s the node is %s", status)
	}
	node.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	advance(t, mock, time.Second)
	timeout(1_000)
	if status := server.Nodes()[0].Status; status != nodeapi.NodeStatusOffline {
		t.Errorf("when the timeout was made as short as its silence the node is %s", status)
	}
}
