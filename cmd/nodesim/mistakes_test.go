package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestWhatIsWrongIsSaidOnOneLine(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want []string
	}{
		"an unknown flag": {
			nil,
			[]string{"run", "--nodeid", "x"},
			[]string{"there is no flag --nodeid, perhaps --node-id is meant; see nodesim run --help"},
		},
		"an unknown command": {
			nil,
			[]string{"walk"},
			[]string{`there is no command "walk": choose from fleet, merge, run; see nodesim --help`},
		},
		"an argument":            {nil, []string{"run", "gpu-node-1"}, []string{"gpu-node-1"}},
		"an argument of a fleet": {nil, []string{"fleet", "gpu-node-1"}, []string{"gpu-node-1"}},
		"bad durations": {
			nil,
			[]string{"run", "--interval", "soon", "--for", "ever"},
			[]string{`--interval is "soon"`, `--for is "ever"`},
		},
		"bad values": {
			nil,
			[]string{"run", "--node-id", "a/b", "--orchestratord-url", "ftp://x", "--interval", "1ms", "--pool", ""},
			[]string{
				`--node-id is "a/b"`, `--orchestratord-url is "ftp://x"`, "--interval is 1ms", "--pool is empty",
			},
		},
		"bad values of all flags of New": {
			nil,
			[]string{
				"run", "--machine-id", "?", "--address", "h:1", "--pool", "a", "--pool", "a", "--node-timeout", "-1s",
				"--request-timeout", "-1s", "--max-backoff", "-1s", "--shutdown-timeout", "-1s", "--tls-ca", "none.pem",
				"--tls-cert", "none.pem", "--tls-key", "none.pem",
			},
			[]string{
				"nodesim: --node-timeout is -1s", `; --machine-id is "?"`, `; --address is "h:1"`,
				`; --pool has "a" twice`, "; --request-timeout is -1s", "; --max-backoff is -1s",
				"; --shutdown-timeout is -1s", "; --orchestratord-url is not https",
				"; --tls-ca: stat none.pem", "; --tls-cert: stat none.pem",
			},
		},
		"bad values of a fleet": {
			nil,
			[]string{
				"fleet", "--nodes", "0", "--node-prefix", "a/b", "--interval", "1ms", "--ramp", "-1s", "--for", "ever",
				"--connections", "0",
				"--kill-rate", "-1", "--kill-share", "2", "--down", "-1s", "--change-rate", "1e9", "--report", "xml",
			},
			[]string{
				"--nodes is 0", `--node-prefix is "a/b"`, "--interval is 1ms", "--ramp is -1s", `--for is "ever"`,
				"--connections is 0",
				"--kill-rate is -1", "--kill-share is 2", "--down is -1s", "--change-rate is 1e+09", `"xml"`,
			},
		},
		"reports that could not be written at the end": {
			nil,
			[]string{"fleet", "--report", "json=missing/a", "--report", "json=.", "--nodes", "0"},
			[]string{
				`--report is "json=missing/a": write missing/a: no such file`, `"json=.": write .: is a`, "--nodes",
			},
		},
		"two reports in one file": {
			nil,
			[]string{"fleet", "--report", "json=report", "--report", "junit=./report", "--nodes", "0"},
			[]string{`nodesim: --report is "junit=./report": another report goes to this file`, "; --nodes is 0"},
		},
		"a fleet beyond all bounds": {
			nil,
			[]string{"fleet", "--nodes", "9223372036854775807", "--ramp", "2562047h47m"},
			[]string{
				"--nodes is 9223372036854775807: must be 1 to 10000000",
				"--ramp is 2562047h47m0s: must be 0 to 24h0m0s",
			},
		},
		"only too many nodes": {
			nil,
			[]string{"fleet", "--nodes", "1000000000000000"},
			[]string{"nodesim: --nodes is 1000000000000000: must be"},
		},
		"half a pair of files": {
			nil,
			[]string{"run", "--orchestratord-url", "https://h", "--tls-key", "key.pem"},
			[]string{"nodesim: --tls-key is set and --tls-cert is not: one needs the other\n"},
		},
		"two tokens": {
			nil,
			[]string{"run", "--token", "a", "--token-file", "b", "--tls-cert", "cert.pem"},
			[]string{
				"--tls-cert is set and --tls-key is not",
				"; --token and --token-file are both set: a node has one token",
			},
		},
		"a token without a file": {
			nil, []string{"fleet", "--token-file", ""}, []string{`--token-file is "": a file has a name`},
		},
		"a negative time":  {nil, []string{"run", "--for", "-1s"}, []string{"--for is -1s, which is negative"}},
		"nothing to merge": {nil, []string{"merge"}, []string{"the files of one report or more are missing"}},
		"a bad environment": {
			map[string]string{registration.EnvHeartbeatInterval: "ten", registration.EnvRegisterOnStartup: "maybe"},
			[]string{"run", "--log-level", "loud", "--machine-id", "?"},
			[]string{`SECS is "ten"`, `STARTUP is "maybe"`, `"loud"`, `--machine-id is "?"`},
		},
		"a bad environment that flags of a node replace": {
			map[string]string{specHeartbeatInterval: "ten", registration.EnvNodeTimeout: "long"},
			[]string{"run", "--interval", "5s", "--node-timeout", "20s", "--machine-id", "?"},
			[]string{`nodesim: --machine-id is "?"`},
		},
		"two bad variables, and a flag of a fleet for one": {
			map[string]string{registration.EnvHeartbeatInterval: "ten", specNodeTimeout: "long"},
			[]string{"fleet", "--interval", "5s", "--nodes", "0"},
			[]string{"nodesim: invalid configuration: " + specNodeTimeout + ` is "long"`, "; --nodes is 0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			emptyEnvironment(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			var out, log bytes.Buffer
			status := run(t.Context(), test.args, &out, &log)
			if status != 1 || out.Len() != 0 || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("status %d, output %q, error %q: want one line", status, out.String(), log.String())
			}
			for _, want := range test.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("error %q does not say %q", log.String(), want)
				}
			}
		})
	}
}
