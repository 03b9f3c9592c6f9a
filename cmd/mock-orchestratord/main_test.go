package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// program is the program, running in this process.
type program struct {
	url  string
	stop func() (status int, stdout, stderr string) // what it has printed since it listens, and all it has logged
}

// start runs the program on a free port until the test ends.
func start(t *testing.T, env map[string]string, args ...string) program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"--addr", "127.0.0.1:0"}, args...), out, &stderr,
			func(name string) string { return env[name] })
		out.Close()
	}()
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	url, found := strings.CutPrefix(line, "mock-orchestratord listens on ")
	url, _, _ = strings.Cut(url, " ")
	if err != nil || !found {
		t.Fatalf("it printed %q (%v) and logged %s", line, err, &stderr)
	}
	stopped := false
	p := program{url: url, stop: func() (int, string, string) {
		stopped = true
		cancel()
		rest, _ := io.ReadAll(lines)
		return <-ended, string(rest), stderr.String()
	}}
	t.Cleanup(func() {
		if !stopped {
			p.stop()
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return p
}

func get(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v2/nodes", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestProgram(t *testing.T) {
	program := start(t, nil, "--log-format", "json")
	if status := get(t, program.url, ""); status != http.StatusOK {
		t.Errorf("GET: status %d", status)
	}
	status, stdout, stderr := program.stop()
	if status != 0 || stdout != "" || stderr != "" {
		t.Errorf("exit status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
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

// TestDrift sends a registration that lacks a field, and misspells another.
func TestDrift(t *testing.T) {
	const drifting = `{"node_id":"gpu-node-1","machineid":"m","address":"http://127.0.0.1:9200","pools":[],
		"capabilities":{"gpu_count":1,"total_vram_mb":1,"cuda_version":""}}`
	keeping := strings.Replace(drifting, "machineid", "machine_id", 1)
	const summary = `drift from the contract, 2 departures:
  registerNode at "/machine_id": must be there (got nothing): 1 request, last of gpu-node-1
  registerNode at "/machineid": must be a field that the contract names, perhaps "machine_id" (got "machineid"): 1 request, last of gpu-node-1
`
	const refused = `refused by the orchestratord in service, 1 departure:
  registerNode at "/capabilities/gpus": must be there for the orchestratord in service (got nothing): 1 request, last of gpu-node-1
`
	refusedToo := strings.Replace(refused, "1 departure", "2 departures", 1) +
		`  registerNode at "/machine_id": must be there for the orchestratord in service (got nothing): 1 request, last of gpu-node-1
`
	const failed = "mock-orchestratord: requests departed from the contract"
	const without = "the orchestratord in service would refuse requests: registerNode for /capabilities/gpus"
	for _, test := range []struct {
		name     string
		args     []string
		body     string
		answered int
		stderr   string
		exited   int
	}{
		{"report", []string{"--validation", "report"}, drifting, 200, summary + refusedToo, 0},
		{
			"report and fail",
			[]string{"--validation", "report", "--fail-on-drift"},
			drifting, 200,
			summary + refusedToo + failed + "\n", 3,
		},
		{"no drift", []string{"--validation", "report", "--fail-on-drift"}, keeping, 200, refused, 0},
		{
			"refused in service",
			[]string{"--fail-on-refused-in-service"},
			keeping, 200,
			refused + "mock-orchestratord: " + without + "\n", 3,
		},
		{
			"drift, and refused in service",
			[]string{"--validation", "report", "--fail-on-drift", "--fail-on-refused-in-service"},
			drifting, 200,
			summary + refusedToo + failed + "; " + without + ", /machine_id\n", 3,
		},
		{"in service", []string{"--dialect", "in-service"}, keeping, 422, `drift from the contract, 1 departure:
  registerNode at "/capabilities/gpus": must be there (got nothing): 1 request, last of gpu-node-1
`, 0},
		{"strict", nil, drifting, 422, summary, 0},
		{
			"strict and fail",
			[]string{"--validation", "strict", "--fail-on-drift"},
			drifting, 422,
			summary + failed + "\n", 3,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := start(t, nil, append(test.args, "--log-level", "error")...)
			response, err := http.Post(program.url+"/v2/nodes/register", "application/json",
				strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.answered {
				t.Errorf("POST: status %d, want %d", response.StatusCode, test.answered)
			}
			status, _, stderr := program.stop()
			if status != test.exited {
				t.Errorf("exit status %d, want %d", status, test.exited)
			}
			if stderr != test.stderr {
				t.Errorf("stderr:\n%swant:\n%s", stderr, test.stderr)
			}
		})
	}
}

// TestDriftOfRequests ends the program after a request that departs from the document, though
// its body does not.
func TestDriftOfRequests(t *testing.T) {
	for _, request := range []string{
		"GET /v1/nodes", "POST /v2/node", "PUT /v2/nodes", "GET /v2/nodes?all=1",
		"POST /v2/nodes/register", "GET /metrics",
	} {
		program := start(t, nil, "--fail-on-drift", "--log-level", "error")
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, program.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		want := driftStatus
		if path == "/metrics" {
			want = 0
		}
		status, _, stderr := program.stop()
		if status != want || want != 0 && !strings.Contains(stderr, "1 departure") {
			t.Errorf("%s: exit status %d, stderr:\n%s", request, status, stderr)
		}
	}
}

// TestDepartureWithoutRoom lists a departure, and that there was another.
func TestDepartureWithoutRoom(t *testing.T) {
	var listed bytes.Buffer
	seen := drift.Entry{Departure: drift.Departure{Pointer: "/v1", Expected: "e", Got: "g"}, Requests: 2}
	summarize(&listed, "drift", drift.Report{Entries: []drift.Entry{seen}, Dropped: 1})
	const want = `drift, 1 departure:
  no operation at "/v1": e (got g): 2 requests, last of no known node
  and others, seen 1 time, that there was no room for
`
	if listed.String() != want {
		t.Errorf("listed is\n%s, want\n%s", &listed, want)
	}
}

// TestRequestInFlight stops the program in the middle of a request, which is answered
// nevertheless.
func TestRequestInFlight(t *testing.T) {
	program := start(t, nil)
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, program.url+"/v2/nodes/register", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	// The body is not sent before the program asks for it.
	r.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	answered := make(chan int, 1)
	go func() {
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		response.Body.Close()
		answered <- response.StatusCode
	}()
	io.WriteString(send, "{")
	exited := make(chan int, 1)
	go func() {
		status, _, _ := program.stop()
		exited <- status
	}()
	io.WriteString(send, "}")
	send.Close()
	if status := <-answered; status != http.StatusUnprocessableEntity {
		t.Errorf("POST: status %d", status)
	}
	if status := <-exited; status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// endsWith is an output at whose first word a program is stopped. One that should have refused its settings
// says on standard output where it listens.
type endsWith struct {
	bytes.Buffer
	stop func()
}

func (w *endsWith) Write(text []byte) (int, error) {
	w.stop()
	return w.Buffer.Write(text)
}

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
			want: "node timeout 9.999s: must be longer than the heartbeat interval 10s; " +
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
			want: "token 1 of 1: must have a length of 1 or more, not 0",
		},
		{
			name: "tokens of white space", env: map[string]string{"LLORCH_API_TOKEN": "\n", "MOCK_CONTROL_TOKEN": " "},
			want: `LLORCH_API_TOKEN: "\n" is white space alone, and no token; MOCK_CONTROL_TOKEN: " " is white space ` +
				`alone, and no token`,
		},
		{
			name: "tokens that no header can carry",
			env:  map[string]string{"LLORCH_API_TOKEN": "hush\nhush", "MOCK_CONTROL_TOKEN": "hush hush"},
			want: `token 1 of 1: must match ^[!-~]+$, as "replace-me-with-32-random-bytes-or-more" does; ` +
				`control token: must match ^[!-~]+$, as "replace-me-with-32-random-bytes-or-more" does; ` +
				`LLORCH_API_TOKEN sets --token, MOCK_CONTROL_TOKEN sets --control-token`,
		},
		{
			name: "everything in front of an orchestratord", args: []string{"--upstream", "http://127.0.0.1:1"},
			env: map[string]string{
				"ORCHD_ADDR": "127.0.0.1:1", "LLORCH_API_TOKEN": "t", "MOCK_CONTROL_TOKEN": "hush hush",
				"ORCHESTRATORD_NODE_TIMEOUT_MS": "0", "ORCHESTRATORD_CLOUD_PROFILE": "off",
				"ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS": "often", "ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS": "often",
			},
			want: `control token: must match ^[!-~]+$, as "replace-me-with-32-random-bytes-or-more" does; ` +
				`node timeout 0s: must be positive; ORCHD_ADDR sets --addr, LLORCH_API_TOKEN sets --upstream-token, ` +
				`ORCHESTRATORD_NODE_TIMEOUT_MS sets --node-timeout, MOCK_CONTROL_TOKEN sets --control-token`,
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
				`json; node timeout 30s: must be longer than the heartbeat interval 40s; validation "lax": must ` +
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

// ending is a text that ends something when it begins.
type ending struct {
	bytes.Buffer
	end func()
}

func (e *ending) Write(text []byte) (int, error) {
	e.end()
	return e.Buffer.Write(text)
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, &stdout, &stderr,
		func(string) string { return "" }); status != 0 || stderr.Len() > 0 {
		t.Errorf("exit status %d, stderr %q", status, &stderr)
	}
	for _, want := range []string{
		"--addr", "ORCHD_ADDR", "ORCHESTRATORD_ADDR", "127.0.0.1:8080", "--token", "LLORCH_API_TOKEN",
		"--node-timeout", "ORCHESTRATORD_NODE_TIMEOUT_MS", "ORCHESTRATORD_NODE_TIMEOUT_SECS", "30s",
		"--heartbeat-interval", "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS", "10s",
		"--stale-check-interval", "ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS",
		"--cloud-profile", "ORCHESTRATORD_CLOUD_PROFILE", "--dialect", "--validation", "--fail-on-drift",
		"--fail-on-refused-in-service", "--log-level", "--log-format",
		"--tls-cert", "--tls-key", "--tls-dev", "--tls-dir", "--tls-host", "--tls-client-ca", "--mtls", "--cors-origin",
		"/docs", "/openapi.yaml", "/metrics", "/healthz",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the help lacks %s", want)
		}
	}
}
