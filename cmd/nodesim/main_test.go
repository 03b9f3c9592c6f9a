package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// asProgram is set in the environment of a process that is the program, not its tests.
const asProgram = "NODESIM_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// emptyEnvironment keeps a test from what a node's environment may hold.
func emptyEnvironment(t *testing.T) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		for _, prefix := range []string{"POOL_MANAGERD_", "ORCHESTRATORD_", "LLORCH_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
}

// watched is a log that signals each line.
type watched struct {
	bytes.Buffer
	want string
	seen chan struct{}
}

func (w *watched) Write(line []byte) (int, error) {
	if w.want != "" && bytes.Contains(line, []byte(w.want)) {
		w.want = ""
		close(w.seen)
	}
	return w.Buffer.Write(line)
}

// runUntil runs the program until its log says something, however long that takes, and
// returns its exit status and its log. It may also end by itself.
func runUntil(t *testing.T, said string, args ...string) (status int, log string) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	watch := watched{want: said, seen: make(chan struct{})}
	done := make(chan int, 1)
	go func() { done <- run(ctx, args, io.Discard, &watch) }()
	select {
	case <-watch.seen:
		stop()
		status = <-done
	case status = <-done:
	}
	return status, watch.String()
}

func TestALifeFromFlags(t *testing.T) {
	emptyEnvironment(t)
	const token = "a-token-of-more-than-thirty-two-bytes"
	orchestratord := mocktest.Start(t, mockserver.WithTokens(token))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()

	var out bytes.Buffer
	log := watched{want: "online", seen: make(chan struct{})}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{
			"run", "--orchestratord-url", orchestratord.URL, "--node-id", "gpu-node-7", "--machine-id", "machine-b",
			"--address", "http://10.0.0.7:9200", "--pool", "a", "--pool", "b", "--interval", "1s", "--token", token,
		}, &out, &log)
	}()
	select {
	case <-log.seen:
	case status := <-done:
		t.Fatalf("ended with status %d: %s", status, log.String())
	}
	node := orchestratord.Nodes()[0]
	if r := node.Registration; node.Status != nodeapi.NodeStatusOnline || r.NodeID != "gpu-node-7" ||
		r.MachineID != "machine-b" || r.Address != "http://10.0.0.7:9200" || r.Version == nil ||
		*r.Version != "0.1.0" || len(r.Pools) != 2 || len(node.Pools) != 2 {
		t.Errorf("on record is %+v", node)
	}
	stop()
	if status := <-done; status != 0 || len(orchestratord.Nodes()) != 0 {
		t.Errorf("status %d, left on record: %v", status, orchestratord.Nodes())
	}
	if strings.Contains(log.String(), token) || !strings.Contains(log.String(), "deregistered") {
		t.Errorf("log is %s", log.String())
	}
}

func TestALifeFromTheEnvironment(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	t.Setenv("POOL_MANAGERD_NODE_ID", "gpu-node-9")
	t.Setenv("POOL_MANAGERD_MACHINE_ID", "machine-c")
	t.Setenv("ORCHESTRATORD_URL", orchestratord.URL)
	t.Setenv("LLORCH_API_TOKEN", "secret\n")
	if status, log := runUntil(t, "online", "run"); status != 0 {
		t.Errorf("status %d: %s", status, log)
	}
}

// An interval of 15 s needs an orchestratord that waits for more than two of them.
func TestALongInterval(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t)
	for _, args := range [][]string{{"run"}, {"fleet", "--ramp", "0", "--for", "1ms"}} {
		args = append(args, "--orchestratord-url", orchestratord.URL, "--interval", "15s")
		var out, log bytes.Buffer
		if status := run(t.Context(), args, &out, &log); status != 1 ||
			!strings.Contains(log.String(), "--node-timeout is 30s") {
			t.Errorf("status %d of %s: %s", status, args, log.String())
		}
		until := map[string]string{"run": "online", "fleet": "not said, as it ends by itself"}[args[0]]
		status, said := runUntil(t, until, append(args, "--node-timeout", "1m")...)
		if status != 0 && (args[0] != "fleet" || !ran(status)) {
			t.Errorf("status %d of %s with a longer timeout: %s", status, args, said)
		}
	}
}

// A terminal that goes takes stderr with it, and may hang up twice. The fleet
// deregisters all the same.
func TestAFleetThatLosesItsTerminal(t *testing.T) {
	// What this process catches, those that it starts do not inherit as ignored, as nohup
	// would have it.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	emptyEnvironment(t)
	orchestratord := mocktest.InMemory(t)
	leaving, hungUp := make(chan struct{}, 5), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			leaving <- struct{}{}
			<-hungUp
		}
		orchestratord.ServeHTTP(w, r)
	}))
	defer server.Close()
	reader, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	var out bytes.Buffer
	fleet := exec.CommandContext(t.Context(), os.Args[0], fleetArgs(server.URL, "--interval", "1s", "--for", "0")...)
	fleet.Env = append(os.Environ(), asProgram+"=yes")
	fleet.Stdout, fleet.Stderr = &out, stderr
	err = fleet.Start()
	stderr.Close()
	if err != nil {
		t.Fatal(err)
	}
	// two of each node: there was progress meanwhile
	orchestratord.Expect(t, mocktest.AtLeast(10, mocktest.Heartbeats).Within(time.Minute))
	ended := make(chan error, 1)
	go func() { ended <- fleet.Wait() }()
	_ = fleet.Process.Signal(syscall.SIGHUP)
	select {
	case <-leaving:
		_ = fleet.Process.Signal(syscall.SIGHUP)
	case err := <-ended:
		t.Fatal(err)
	}
	close(hungUp)
	err = <-ended
	if !fleet.ProcessState.Exited() || !strings.Contains(out.String(), "fleet: 5 nodes") ||
		len(orchestratord.Nodes()) != 0 {
		t.Errorf("ended by %v, left on record %d, report is\n%s", err, len(orchestratord.Nodes()), out.String())
	}
}

func TestHelp(t *testing.T) {
	emptyEnvironment(t)
	t.Setenv("LLORCH_API_TOKEN", "a-secret-that-help-must-not-show")
	for command, wanted := range map[string][]string{
		"run": {
			"--node-timeout", "--tls-ca", "--tls-cert", "--tls-key", "--orchestratord-url", "--node-id", "--machine-id",
			"--address", "--pool", "--interval", "--token", "--token-file", "--request-timeout", "--max-backoff",
			"--shutdown-timeout", "--register-every", "--for", "LLORCH_API_TOKEN", "nodesim run --node-id",
			"Exit status",
		},
		"fleet": {
			"--node-timeout", "--tls-ca", "--tls-cert", "--tls-key", "--nodes", "--interval", "--ramp", "--for",
			"--orchestratord-url", "--node-prefix", "--token", "--kill-rate", "--change-rate", "--report",
			"LLORCH_API_TOKEN", "missed", "late", "Exit status",
		},
		"merge": {"--report", "--node-prefix", "nodesim merge a.json"},
	} {
		var out, log bytes.Buffer
		if status := run(t.Context(), []string{command, "--help"}, &out, &log); status != 0 || log.Len() != 0 {
			t.Errorf("status %d, %s", status, log.String())
		}
		for _, want := range wanted {
			if !strings.Contains(out.String(), want) {
				t.Errorf("help of %s does not mention %s", command, want)
			}
		}
		if strings.Contains(out.String(), "a-secret") {
			t.Errorf("help of %s shows the token", command)
		}
	}
}

// A node that never was registered has not lived, unless it was not to be registered.
func TestANodeThatIsNeverRegistered(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithCloudProfile(false))
	token := filepath.Join(t.TempDir(), "token")
	for name, test := range map[string]struct {
		args   []string
		alone  string
		said   string // by the log, of what has to have happened
		status int
		want   string
	}{
		"nobody is there": {
			[]string{"--orchestratord-url", "http://127.0.0.1:1", "--request-timeout", "1s", "--max-backoff", "50ms"},
			"", "failed", unregisteredStatus, "the node was never registered: register: orchestratord unavailable: ",
		},
		"it is not ready": {
			[]string{"--orchestratord-url", orchestratord.URL, "--max-backoff", "50ms"},
			"", "failed",
			unregisteredStatus, "cloud profile",
		},
		"there is no token": {
			[]string{"--orchestratord-url", orchestratord.URL, "--token-file", token},
			"", "failed", unregisteredStatus,
			"no such file",
		},
		"it stands alone": {[]string{"--for", "1ms"}, "false", "", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(registration.EnvRegisterOnStartup, test.alone)
			status, log := runUntil(t, test.said, append([]string{"run"}, test.args...)...)
			last := strings.ToLower(log[strings.LastIndexByte(strings.TrimSpace(log), '\n')+1:])
			t.Log(log)
			if status != test.status || !strings.Contains(last, test.want) {
				t.Errorf("status %d, error %q, want %d and %q", status, last, test.status, test.want)
			}
		})
	}
}

// A token comes from a file as well.
func TestATokenFromAFile(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"run", "--orchestratord-url", orchestratord.URL, "--interval", "1s", "--node-timeout", "3s",
		"--token-file", file,
	}
	if status, log := runUntil(t, "online", args...); status != 0 {
		t.Errorf("status %d: %s", status, log)
	}
}

func TestALostCauseEndsAtOnce(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	var out, log bytes.Buffer
	if status := run(t.Context(), []string{"run", "--orchestratord-url", orchestratord.URL, "--token", "wrong"}, &out,
		&log); status != 1 {
		t.Errorf("status %d with a wrong token: %s", status, log.String())
	}
	if !strings.Contains(log.String(), "nodesim: register: not authorized: orchestratord answered 401") {
		t.Errorf("error is %s", log.String())
	}
}

// The shell completes what a flag or an argument may be.
func TestCompletion(t *testing.T) {
	emptyEnvironment(t)
	formats := strings.Join(report.Formats(), "\n") + "\n:4\n"
	for line, want := range map[string]string{
		"fleet --report ": formats, "merge --report ": formats, "merge ": "json\n:8\n",
	} {
		var out bytes.Buffer
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		if status := run(t.Context(), args, &out, io.Discard); status != 0 || out.String() != want {
			t.Errorf("%q is completed to %q, status %d, want %q", line, out.String(), status, want)
		}
	}
}
