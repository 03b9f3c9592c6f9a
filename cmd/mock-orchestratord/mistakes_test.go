package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestMistakes(t *testing.T) {
	const address = "missing port in address: must be host:port, such as 127.0.0.1:8080"
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{
			name: "unknown flag", args: []string{"--nope"},
			want: "there is no flag --nope; see mock-orchestratord --help",
		},
		{
			name: "argument", args: []string{"serve"},
			want: `"serve" belongs to no flag, and there are no other arguments; see mock-orchestratord --help`,
		},
		{
			name: "no duration", args: []string{"--node-timeout", "ten"},
			want: `--node-timeout is "ten": must be a number with a unit, such as 500ms, 10s or 2m`,
		},
		{
			name: "port in use", args: []string{"--addr", taken.Addr().String()},
			want: fmt.Sprintf("--addr [ORCHD_ADDR or ORCHESTRATORD_ADDR] is %q: another program listens there "+
				"already: end it, or take another port (0 takes a free one)", taken.Addr()),
		},
		{
			name: "no address", env: map[string]string{"ORCHESTRATORD_ADDR": "127.0.0.1"},
			want: `--addr [ORCHD_ADDR or ORCHESTRATORD_ADDR] is "127.0.0.1": ` + address,
		},
		{
			name: "no seed", args: []string{"--fault-seed", "-1"},
			want: `--fault-seed is "-1": must be a whole number from 0 to 4294967295`,
		},
		{
			name: "too many seconds", env: map[string]string{"ORCHESTRATORD_NODE_TIMEOUT_SECS": "99999999999"},
			want: `ORCHESTRATORD_NODE_TIMEOUT_SECS: "99999999999" is not a whole number of seconds ` +
				`from 0 to 2147483647`,
		},
		{
			name: "URL with a password as an address", args: []string{"--addr", "http://user:password@host"},
			want: "--addr [ORCHD_ADDR or ORCHESTRATORD_ADDR] holds an @: must be a host:port",
		},
		{
			name: "password in an address", args: []string{"--addr", "user:password@host:80"},
			want: "--addr [ORCHD_ADDR or ORCHESTRATORD_ADDR] holds an @: must be a host:port",
		},
		{
			name: "no address by its other name", env: map[string]string{"ORCHD_ADDR": "127.0.0.1"},
			want: `--addr [ORCHD_ADDR or ORCHESTRATORD_ADDR] is "127.0.0.1": ` + address,
		},
		{
			name: "milliseconds", env: map[string]string{"ORCHESTRATORD_NODE_TIMEOUT_MS": "9999"},
			want: "--node-timeout 9.999s: must be longer than the heartbeat interval 10s; " +
				"ORCHESTRATORD_NODE_TIMEOUT_MS sets --node-timeout",
		},
		{
			name: "no stale check", env: map[string]string{"ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS": "often"},
			want: `ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS: "often" is not a whole number of seconds from 0 to ` +
				`2147483647`,
		},
		{
			name: "names that disagree",
			env: map[string]string{
				"ORCHD_ADDR": "127.0.0.1:1", "ORCHESTRATORD_ADDR": "127.0.0.1:2",
				"ORCHESTRATORD_NODE_TIMEOUT_MS": "41", "ORCHESTRATORD_NODE_TIMEOUT_SECS": "41",
			},
			want: `ORCHD_ADDR is "127.0.0.1:1" and ORCHESTRATORD_ADDR is "127.0.0.1:2": they state the same, and ` +
				`disagree: unset one of them; ` +
				`ORCHESTRATORD_NODE_TIMEOUT_MS is "41" and ORCHESTRATORD_NODE_TIMEOUT_SECS is "41": they state ` +
				`the same, and disagree: unset one of them`,
		},
		{
			name: "empty token", args: []string{"--token", ""},
			want: "--token 1 of 1: must have a length of 1 or more, not 0",
		},
		{
			name: "tokens of white space", env: map[string]string{"LLORCH_API_TOKEN": "\n", "MOCK_CONTROL_TOKEN": " "},
			want: `LLORCH_API_TOKEN: "\n" is white space alone, and no token; MOCK_CONTROL_TOKEN: " " is white space ` +
				`alone, and no token`,
		},
		{
			name: "tokens that no header can carry",
			env:  map[string]string{"LLORCH_API_TOKEN": "hush\nhush", "MOCK_CONTROL_TOKEN": "hush hush"},
			want: `--token 1 of 1: must match ^[!-~]+$, as "replace-me-with-32-random-bytes-or-more" does; ` +
				`--control-token: must match ^[!-~]+$, as "replace-me-with-32-random-bytes-or-more" does; ` +
				`LLORCH_API_TOKEN sets --token, MOCK_CONTROL_TOKEN sets --control-token`,
		},
		{
			name: "numbers out of range",
			args: []string{"--max-nodes", "0", "--forget-after", "-1s", "--journal", "-1"},
			want: "--max-nodes 0: must be 1 to 1000000, which is what a list of them may have; " +
				"--forget-after -1s: must be 0 or more; --journal -1: must be 0 to 100000",
		},
		{
			name: "everything in front of an orchestratord", args: []string{"--upstream", "http://127.0.0.1:1"},
			env: map[string]string{
				"ORCHD_ADDR": "127.0.0.1:1", "LLORCH_API_TOKEN": "t", "MOCK_CONTROL_TOKEN": "hush hush",
				"ORCHESTRATORD_NODE_TIMEOUT_MS": "0", "ORCHESTRATORD_CLOUD_PROFILE": "off",
				"ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "often", "ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS": "often",
			},
			want: `--control-token: must match ^[!-~]+$, as "replace-me-with-32-random-bytes-or-more" does; ` +
				`--node-timeout 0s: must be positive; ` +
				`ORCHD_ADDR sets --addr, LLORCH_API_TOKEN sets --upstream-token, ` +
				`ORCHESTRATORD_NODE_TIMEOUT_MS sets --node-timeout, MOCK_CONTROL_TOKEN sets --control-token`,
		},
		{
			name: "long URL of an upstream", args: []string{"--upstream", "http://host/" + strings.Repeat("x", 2048)},
			want: "--upstream must have a length of 2048 or less, not 2060",
		},
		{
			name: "everything at once",
			env: map[string]string{
				"ORCHESTRATORD_NODE_TIMEOUT_SECS": "ten", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "-1",
			},
			args: []string{
				"--heartbeat-interval", "40s", "--log-level", "loud", "--log-format", "xml", "--validation", "lax",
			},
			want: `ORCHESTRATORD_NODE_TIMEOUT_SECS: "ten" is not a whole number of seconds from 0 to 2147483647; ` +
				`--log-level is "loud": must be debug, info, warn or error; ` +
				`--log-format is "xml": must be text, short or ` +
				`json; --node-timeout 30s: must be longer than the heartbeat interval 40s; --validation "lax": must ` +
				`be strict,` +
				` report or off`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var stderr bytes.Buffer
			stdout := endsWith{stop: stop}
			status := run(ctx, test.args, &stdout, &stderr, func(name string) string { return test.env[name] })
			if status == 0 || stdout.Len() > 0 {
				t.Errorf("exit status %d, stdout %q", status, &stdout)
			}
			if want := "mock-orchestratord: " + test.want + "\n"; stderr.String() != want {
				t.Errorf("stderr %q, want %q", &stderr, want)
			}
		})
	}
}

// refuses fails unless the program does not start, and says why on one line with a text in it. It
// returns the line.
func refuses(t *testing.T, says string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := ending{end: cancel}, bytes.Buffer{} // a program that serves after all says so, and ends
	args = append([]string{"--addr", "127.0.0.1:0"}, args...)
	status := run(ctx, args, &out, &errs, func(string) string { return "" })
	if said := errs.String(); status != 1 || out.Len() > 0 || strings.Count(said, "\n") != 1 ||
		!strings.Contains(said, says) {
		t.Errorf("exit status %d, stdout %q, stderr %q, want %q", status, &out, said, says)
	}
	return errs.String()
}
