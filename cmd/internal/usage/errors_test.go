package usage

import (
	"net"
	"strings"
	"testing"
)

// TestMistakes makes the mistakes that users make. Each is answered by one line that says what
// is wrong, and what would be right.
func TestMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		command string // and its arguments
		status  int
		want    string
	}{
		"a port in use": {
			"mock-orchestratord --addr " + taken.Addr().String(), 1,
			`is "` + taken.Addr().String() + `": another program listens there already: end it, or take another port`,
		},
		"a port without a host": {
			"mock-orchestratord --addr 8080", 1,
			`is "8080": missing port in address: must be host:port, such as 127.0.0.1:8080`,
		},
		"an address of another machine": {
			"mock-orchestratord --addr 192.0.2.1:8080", 1, `is "192.0.2.1:8080": this machine has no such address`,
		},
		"half a pair": {
			"mock-orchestratord --tls-cert cert.pem", 1, "--tls-cert is set and --tls-key is not: one needs the other",
		},
		"the other half": {
			"nodesim run --tls-key key.pem", 1, "--tls-key is set and --tls-cert is not: one needs the other",
		},
		"half a pair of a fleet": {"nodesim fleet --tls-cert cert.pem", 1, "--tls-cert is set and --tls-key is not"},
		"two tokens":             {"nodesim run --token a --token-file b", 1, "--token and --token-file are both set"},
		"a misspelt flag": {
			"mock-orchestratord --adr :0", 1,
			"there is no flag --adr, perhaps --addr is meant; see mock-orchestratord --help",
		},
		"a dash too few": {"mock-orchestratord -addr=:0", 1, "there is no flag -addr, perhaps --addr is meant; see"},
		"a secret behind an unknown letter": {
			"nodesim run -tSECRET", 1, "there is no flag -t; see nodesim run --help",
		},
		"a flag of no program": {
			"nodecontract diff --colour", 2, "there is no flag --colour; see nodecontract diff --help",
		},
		"a flag without a value": {
			"nodesim run --interval", 1, "--interval needs a value; see nodesim run --help",
		},
		"a number without a unit": {
			"nodesim run --interval 10", 1,
			`--interval is "10": must be a number with a unit, such as 500ms, 10s or 2m`,
		},
		"a misspelt command": {
			"nodesim flet", 1, `there is no command "flet", perhaps "fleet" is meant; see nodesim --help`,
		},
		"an unknown command": {
			"nodecontract verify", 2, `there is no command "verify": choose from check, conform, diff, drift, overlay`,
		},
		"a stray argument": {
			"mock-orchestratord start", 1, `"start" belongs to no flag, and there are no other arguments; see`,
		},
		"a switch set as by a word": {
			"mock-orchestratord --control false", 1, `"false" belongs to no flag: a switch is set as in --flag=false`,
		},
		"a missing flag": {"nodecontract conform", 2, "--provider-url is missing; see nodecontract conform --help"},
		"no files":       {"nodesim merge", 1, "the files of one report or more are missing; see nodesim merge --help"},
		"a URL without a scheme": {
			"nodesim run --orchestratord-url localhost:8080", 1,
			`--orchestratord-url is "localhost:8080": lacks its scheme, as in http://localhost:8080`,
		},
		"an address without a scheme": {"nodesim run --address 10.0.0.1:9200", 1, "as in http://10.0.0.1:9200"},
		"a URL with a password and without a scheme": {
			"nodecontract conform --provider-url user:SECRET@localhost:8080", 2,
			"--provider-url: lacks its scheme, http:// or https://",
		},
		"an orchestratord to stand in front of without a scheme": {
			"mock-orchestratord --upstream localhost:1", 1,
			`--upstream is "localhost:1": lacks its scheme, as in http://localhost:1`,
		},
		"a URL of another scheme": {
			"nodecontract conform --provider-url ftp://localhost", 2,
			`--provider-url is "ftp://localhost": must be an http or https URL with a host, such as http://`,
		},
		"a URL with a password": {
			"nodecontract conform --provider-url http://user:SECRET@localhost", 2,
			"--provider-url: holds credentials: must be without",
		},
		"a URL with a query": {
			"nodesim fleet --orchestratord-url http://localhost?token=SECRET", 1,
			"--orchestratord-url: has a query or a fragment: must end before it",
		},
		"a password where no URL belongs": {
			"mock-orchestratord --fault http://user:SECRET@localhost --dialect user:SECRET@localhost", 1,
			`dialect "***@localhost": must be document or in-service`,
		},
		"a port by a name": {
			"mock-orchestratord --addr 127.0.0.1:80x", 1,
			`is "127.0.0.1:80x": unknown port: must be host:port, such as 127.0.0.1:8080`,
		},
		"an empty address": {"mock-orchestratord --addr=", 1, "--addr is empty: must be host:port, such as"},
		"a negative time":  {"nodesim run --for -1s", 1, "nodesim: --for is -1s, which is negative"},
		"a prefix of no id": {
			"nodesim fleet --node-prefix ?", 1,
			`nodesim: --node-prefix is "?": no id of a node can begin with it` + "\n",
		},
		"a level of no log": {
			"nodesim run --log-level loud --log-format xml", 1,
			`--log-level is "loud": must be debug, info, warn or error; --log-format is "xml": must be text,`,
		},
		"a flag without its command": {
			"nodesim --detect", 1, "the command is missing: --detect is for nodesim run; see nodesim --help",
		},
		"a flag of several commands": {
			"nodesim --token=SECRET", 1, "the command is missing: --token is for nodesim fleet and nodesim run; see",
		},
		"a value without its flag": {
			"nodecontract check pact.json", 2,
			`"pact.json" belongs to no flag, perhaps --pact is missing before it; see`,
		},
		"half a pair for an upstream": {
			"mock-orchestratord --upstream http://127.0.0.1:1 --upstream-cert a", 1,
			"--upstream-cert is set and --upstream-key is not: one needs the other",
		},
		"a host for no certificate": {"mock-orchestratord --tls-host a", 1, "--tls-dir and --tls-host need --tls-dev"},
		"no upstream":               {"mock-orchestratord --upstream-token a", 1, "--upstream-token needs --upstream"},
		"a pattern of no node": {
			"mock-orchestratord --fault flaky@[a", 1,
			`: "[a" is no pattern of node ids: a [ needs its ] and something in between, and a \ something ` +
				"after it\n",
		},
		"a negative time of the checks": {
			"nodecontract conform --provider-url http://127.0.0.1:1 --time -5s", 2, "time is -5s, which is negative",
		},
		"no pattern of nodes": {
			"mock-orchestratord --fault flaky@", 1,
			`mock-orchestratord: --fault is "flaky@": a pattern of node ids is missing after the @` + "\n",
		},
		"a file that is wrong twice": {
			"nodesim merge none.json none.json", 1, "nodesim: stat none.json: no such file or directory\n",
		},
		"an unknown party": {
			"nodecontract diff --base nodes.yaml --fail-on me", 2,
			`--fail-on is "me": must be old-nodes, new-nodes, any, all or none`,
		},
		"no revision": {
			"nodecontract diff --base v9", 2, "v9 is no file, and no git revision that has openapi/nodes.yaml: git: ",
		},
		"an unknown command to help with": {
			"nodesim help flet", 1, `there is no command "flet", perhaps "fleet" is meant`,
		},
		"a shell that nothing is completed in": {
			"nodesim completion tcsh", 1,
			`there is no command "tcsh": choose from bash, fish, powershell, zsh; see nodesim completion --help`,
		},
		"such a shell and a program without commands": {
			"mock-orchestratord completion tcsh", 1, "choose from bash, fish, powershell, zsh; see",
		},
		"a misspelt shell":        {"nodecontract completion bsh", 2, `perhaps "bash" is meant`},
		"an argument of a script": {"nodesim completion zsh fish", 1, `"fish" belongs to no flag, and there`},
		"a pact that is elsewhere": {
			"nodecontract check --pact pact.json", 2, "pact.json: no such file or directory",
		},
		"a file without a name": {
			"mock-orchestratord --tls-client-ca= --tls-cert= --tls-key= --load= --faults-file=", 1,
			`mock-orchestratord: --tls-client-ca is "": a file has a name; --tls-cert is "": a file has a name; ` +
				`--tls-key is "": a file has a name; --load is "": a file has a name; --faults-file is "": a file`,
		},
		"a file for an upstream without a name": {
			"mock-orchestratord --upstream http://127.0.0.1:1 --upstream-token-file=", 1,
			`--upstream-token-file is "": a file has a name`,
		},
		"a file of a node without a name": {"nodesim run --tls-ca=", 1, `--tls-ca is "": a file has a name`},
		"a file of a check without a name": {
			"nodecontract conform --ca-cert=", 2, `--ca-cert is "": a file has a name`,
		},
		"an upstream without a URL": {
			"mock-orchestratord --upstream=", 1, "mock-orchestratord: --upstream is empty: must be the URL of an",
		},
		"a misspelt dialect": {
			"mock-orchestratord --dialect in-servce", 1, `"in-servce": must be document or in-service`,
		},
		"a misspelt fault": {
			"mock-orchestratord --fault flakey", 1,
			`--fault is "flakey": there is no such fault, perhaps "flaky" is meant: choose from amnesia,`,
		},
		"a fault and more than its name": {
			"mock-orchestratord --fault flaky:SECRET@gpu-1", 1, `there is no such fault, perhaps "flaky" is meant`,
		},
		"a format of no report": {
			"nodecontract overlay --report pdf", 2, `--report is "pdf": there is no such format: choose from github,`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			words := strings.Fields(test.command)
			got := start(t, nil, words[0], words[1:]...)
			if got.status != test.status || got.stdout != "" {
				t.Errorf("status %d, want %d, stdout %q", got.status, test.status, got.stdout)
			}
			if strings.Count(got.stderr, "\n") != 1 || !strings.HasPrefix(got.stderr, words[0]+": ") ||
				!strings.Contains(got.stderr, test.want) {
				t.Errorf("stderr is %q, want one line with %q", got.stderr, test.want)
			}
			if strings.Contains(got.stderr, "SECRET") {
				t.Error("the secret is repeated")
			}
		})
	}
}

// TestEnvironment has settings come from the environment, where an empty variable is not set.
func TestEnvironment(t *testing.T) {
	for name, test := range map[string]struct {
		env     string
		command string
		want    string // in stderr
	}{
		"a URL without a scheme": {
			"ORCHESTRATORD_URL=localhost:8080", "nodesim run",
			"nodesim: --orchestratord-url [ORCHESTRATORD_URL] lacks its scheme, as in " +
				"http://localhost:8080\n",
		},
		"a URL with a password": {
			"ORCHESTRATORD_URL=http://user:SECRET@localhost", "nodesim fleet",
			"--orchestratord-url [ORCHESTRATORD_URL] holds credentials",
		},
		"an address without a scheme": {
			"POOL_MANAGERD_ADDRESS=foo:9", "nodesim run",
			`nodesim: --address [POOL_MANAGERD_ADDRESS] is "foo:9", which lacks its scheme, as ` +
				"in http://foo:9\n",
		},
		"an interval beyond the longest": {
			"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS=400", "nodesim run --node-timeout 1h",
			"--interval [POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS] is 6m40s, which is not within",
		},
		"a time by the name of the specification": {
			"ORCHESTRATORD_NODE_TIMEOUT_SECS=2", "nodesim fleet",
			"--node-timeout [ORCHESTRATORD_NODE_TIMEOUT_SECS] is 2s, which is not longer than two heartbeat intervals",
		},
		"a pool and a flag": {
			"POOL_MANAGERD_POOLS=a b", "nodesim run --interval 100ms",
			"nodesim: --interval is 100ms, which is not within 1s to 5m0s; --pool " +
				`[POOL_MANAGERD_POOLS] is "a b", which`,
		},
		"a variable that a flag overrides": {
			"POOL_MANAGERD_ADDRESS=foo:9", "nodesim run --address http://n:1 --node-id ?",
			"nodesim: --node-id",
		},
		"a password for a number": {
			"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS=user:SECRET@localhost", "nodesim run",
			`SECS is "***@localhost", which is not a number of whole seconds above 0`,
		},
		"a password for a time": {
			"ORCHESTRATORD_NODE_TIMEOUT_MS=user:SECRET@localhost", "mock-orchestratord",
			`ORCHESTRATORD_NODE_TIMEOUT_MS: "***@localhost" is not a whole number of milliseconds`,
		},
		"an empty URL": {
			"ORCHESTRATORD_URL=", "nodesim run --node-id ?",
			`nodesim: --node-id is "?", which does not match`,
		},
		"an empty interval": {
			"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS=", "nodesim run --node-id ?",
			"nodesim: --node-id",
		},
		"an empty switch": {
			"POOL_MANAGERD_CLOUD_PROFILE=", "nodesim run --node-id ?", "nodesim: --node-id",
		},
		"an empty address": {
			"ORCHD_ADDR=", "mock-orchestratord --fault none", `mock-orchestratord: --fault is "none"`,
		},
		"an empty time": {
			"ORCHESTRATORD_NODE_TIMEOUT_MS=", "mock-orchestratord --fault none",
			`mock-orchestratord: --fault is "none"`,
		},
		"a token in front of no orchestratord": {
			"LLORCH_API_TOKEN=a-token-for-this-test-alone-0123456789", "mock-orchestratord --upstream=",
			"mock-orchestratord: --upstream is empty: must be the URL of an orchestratord\n",
		},
		"a time in words": {
			"ORCHESTRATORD_NODE_TIMEOUT_MS=long", "mock-orchestratord",
			`ORCHESTRATORD_NODE_TIMEOUT_MS: "long" is not a whole number of milliseconds`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			words := strings.Fields(test.command)
			got := start(t, []string{test.env}, words[0], words[1:]...)
			if got.status != 1 || !strings.Contains(got.stderr, test.want) || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("status %d, stderr %q, want one line with %q", got.status, got.stderr, test.want)
			}
			if strings.Contains(got.stderr, "SECRET") {
				t.Error("the secret is repeated")
			}
		})
	}
}
