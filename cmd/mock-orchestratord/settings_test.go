package main

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/cli/settingsdoc"
)

func TestSettingsAreDocumented(t *testing.T) {
	settingsdoc.Check(t, "../../docs/settings.md", newCommand(func(string) string { return "" }))
}

// TestSettings looks for settings where they show: in answers and in the log.
func TestSettings(t *testing.T) {
	long := strings.Repeat("long", safeTokenBytes/4)
	for _, test := range []struct {
		name   string
		env    map[string]string
		args   []string
		token  string
		status int
		logged string
	}{
		{name: "token", args: []string{"--token", long}, status: 401, logged: "request refused"},
		{name: "tokens", args: []string{"--token", long, "--token", long + "2"}, token: long, status: 200},
		{
			name: "short token", args: []string{"--token", long, "--token", "hush"}, token: "hush", status: 200,
			logged: "token is short and could be guessed token=2 of=2 safe_bytes=32",
		},
		{
			name: "token of the environment", env: map[string]string{"LLORCH_API_TOKEN": long + "\n"},
			token: long, status: 200,
		},
		{
			name: "token of the flag wins", env: map[string]string{"LLORCH_API_TOKEN": long},
			args: []string{"--token", "hush"}, token: long, status: 401, logged: "token is short and could be guessed",
		},
		{
			name: "a timeout below the interval, in service", args: []string{"--dialect", "in-service"},
			env: map[string]string{"ORCHESTRATORD_NODE_TIMEOUT_MS": "4000"}, status: 200,
		},
		{name: "profile off", args: []string{"--cloud-profile=false"}, status: 503},
		{
			name: "profile off in the environment", env: map[string]string{"ORCHESTRATORD_CLOUD_PROFILE": "TRUE"},
			status: 503,
		},
		{
			name: "profile off by a number", env: map[string]string{"ORCHESTRATORD_CLOUD_PROFILE": "1"},
			status: 503,
		},
		{
			name: "profile on in the environment", env: map[string]string{"ORCHESTRATORD_CLOUD_PROFILE": "true"},
			status: 200,
		},
		{
			name: "profile of the flag wins", env: map[string]string{"ORCHESTRATORD_CLOUD_PROFILE": "off"},
			args: []string{"--cloud-profile"}, status: 200,
		},
		{
			name: "empty environment",
			env: map[string]string{
				"LLORCH_API_TOKEN": "", "ORCHESTRATORD_CLOUD_PROFILE": "",
				"ORCHESTRATORD_NODE_TIMEOUT_SECS": "",
			}, status: 200,
		},
		{name: "address of the flag wins", env: map[string]string{"ORCHESTRATORD_ADDR": "nowhere"}, status: 200},
		{
			name: "durations of the flags win", env: map[string]string{"ORCHESTRATORD_NODE_TIMEOUT_SECS": "ten"},
			args: []string{"--node-timeout", "1m"}, status: 200,
		},
		{
			name: "durations of the environment",
			env: map[string]string{
				"ORCHESTRATORD_NODE_TIMEOUT_SECS":       "3",
				"ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "2",
			}, status: 200,
		},
		{
			name: "both names",
			env: map[string]string{
				"ORCHESTRATORD_NODE_TIMEOUT_MS": "40000", "ORCHESTRATORD_NODE_TIMEOUT_SECS": "040",
			},
			status: 200,
		},
		{
			name: "short control token", env: map[string]string{"MOCK_CONTROL_TOKEN": "hush\n"}, status: 200,
			logged: "control token is short and could be guessed safe_bytes=32",
		},
		{
			name: "an interval in vain", args: []string{"--dialect", "in-service"}, status: 200,
			env:    map[string]string{"ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "5"},
			logged: "the heartbeat interval has no effect",
		},
		{name: "log level", args: []string{"--log-level", "error", "--cloud-profile=false"}, status: 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := start(t, test.env, test.args...)
			if status := get(t, program.url, test.token); status != test.status {
				t.Errorf("GET: status %d, want %d", status, test.status)
			}
			_, _, stderr := program.stop()
			if warned := strings.Contains(stderr, "is short"); warned != strings.Contains(test.logged, "is short") ||
				!strings.Contains(stderr, test.logged) || strings.Contains(stderr, "hush") ||
				test.name == "log level" && stderr != "" {
				t.Errorf("log: %s", stderr)
			}
		})
	}
}
