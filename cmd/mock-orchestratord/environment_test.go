package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/control"
)

// TestDurationsOfTheEnvironment looks for durations that come from the environment, in both dialects.
func TestDurationsOfTheEnvironment(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		args []string
		want control.Settings
	}{
		{
			env: map[string]string{
				"ORCHESTRATORD_NODE_TIMEOUT_SECS": "45", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "7",
			},
			want: control.Settings{
				Dialect: control.DialectDocument, NodeTimeoutMs: 45_000, HeartbeatIntervalMs: 7_000,
				StaleCheckIntervalMs: 10_000,
			},
		},
		{
			env: map[string]string{
				"ORCHESTRATORD_NODE_TIMEOUT_MS": "45000", "ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS": "7",
			},
			args: []string{"--dialect", "in-service"},
			want: control.Settings{
				Dialect: control.DialectInService, NodeTimeoutMs: 45_000, HeartbeatIntervalMs: 10_000,
				StaleCheckIntervalMs: 7_000,
			},
		},
	} {
		program := start(t, test.env, test.args...)
		response, err := http.Get(program.url + "/__mock/settings")
		if err != nil {
			t.Fatal(err)
		}
		var got control.Settings
		err = json.NewDecoder(response.Body).Decode(&got)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		test.want.CloudProfile, test.want.Validation = true, control.ValidationStrict
		if got != test.want {
			t.Errorf("with %v: settings %+v, want %+v", test.env, got, test.want)
		}
	}
}
