package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
)

const fileOfFaults = `
faults:
  teapot:
    rules: [{effect: {status: 418}}]
  busy:
    enabled: false
    rules: [{effect: {status: 429}}]
  slow:
    enabled: false
    rules: [{effect: {status: 409}}]
`

// write writes a file anew, and returns its name.
func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFaults(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "faults.yaml"), fileOfFaults)
	for _, test := range []struct {
		name   string
		args   []string
		status int
	}{
		{"none", nil, http.StatusOK},
		{"a file", []string{"--faults-file", file}, http.StatusTeapot},
		{
			"one that the file has switched off",
			[]string{"--faults-file", file, "--fault", "busy"},
			http.StatusTooManyRequests,
		},
		{"one in place of a preset", []string{"--faults-file", file, "--fault", "slow"}, http.StatusConflict},
		{"for a node", []string{"--fault", "outage@gpu-node-1"}, http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := start(t, nil, test.args...)
			if got := get(t, program.url, ""); got != test.status {
				t.Errorf("GET: status %d, want %d", got, test.status)
			}
		})
	}
}

// loaded returns a set with the faults of a command line.
func loaded(t *testing.T, args ...string) (*misbehaviour, *faults.Set, error) {
	t.Helper()
	var m misbehaviour
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	m.flags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	stated, err := m.load(t.Context())
	set := faults.New(clock.New())
	if err == nil {
		err = set.Load(stated)
	}
	return &m, set, err
}

// TestChosenNodes has a fault chosen for several nodes.
func TestChosenNodes(t *testing.T) {
	_, set, err := loaded(t, "--fault", "slow@gpu-node-*", "--fault", "slow@other", "--fault", "throttled",
		"--fault-seed", "0")
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Enabled(); !slices.Equal(got, []string{"slow", "throttled"}) {
		t.Errorf("%q are on", got)
	}
	for _, state := range set.List() {
		if state.Seed != 0 {
			t.Errorf("%s has the seed %d", state.Name, state.Seed)
		}
	}
	set.Switch("throttled", false)
	for node, want := range map[string]bool{
		"gpu-node-1": true, "gpu-node-2": true, "other": true, "another": false,
		"": false,
	} {
		if _, acts := set.Decide(control.OperationHeartbeatNode, node); acts != want {
			t.Errorf("slow acts on %q: %t", node, acts)
		}
	}
}

// TestAsManyFaultsAsAFileMayHave reads them, and chooses a preset beside them.
func TestAsManyFaultsAsAFileMayHave(t *testing.T) {
	text := "faults:\n"
	for n := range 100 {
		text += fmt.Sprintf("  fault-%d: {rules: [{effect: {status: 418}}]}\n", n)
	}
	file := write(t, filepath.Join(t.TempDir(), "faults.yaml"), text)
	_, set, err := loaded(t, "--faults-file", file, "--fault", "slow", "--fault-seed", "7")
	if err != nil || len(set.Enabled()) != 101 {
		t.Errorf("%d are on, %v", len(set.Enabled()), err)
	}
}

// TestPresetsChosenForNodes has each preset chosen for two nodes, which each get all rules of it. Chosen
// again without a node, it is as it was.
func TestPresetsChosenForNodes(t *testing.T) {
	for name, preset := range faults.Presets() {
		for _, test := range []struct{ flags, nodes []string }{
			{[]string{"--fault", name + "@a", "--fault", name + "@b"}, []string{"a", "b"}},
			{[]string{"--fault", name}, []string{""}},
		} {
			_, set, err := loaded(t, test.flags...)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, state := range set.List() {
				if state.Name == name {
					got = nodesOf(state.Rules)
				}
			}
			for _, node := range test.nodes {
				want = append(want, slices.Repeat([]string{node}, len(preset.Rules))...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q: the rules are for the nodes %q, want %q", test.flags, got, want)
			}
		}
	}
}

// nodesOf returns for each rule the pattern of the nodes that it is for, or "" for all.
func nodesOf(rules control.FaultRules) []string {
	nodes := make([]string, len(rules))
	for i, rule := range rules {
		if rule.Match != nil && rule.Match.Node != nil {
			nodes[i] = *rule.Match.Node
		}
	}
	return nodes
}

func TestWrongFaults(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "faults.yaml"), "faults: {it: {rules: [{effect: {status: 200}}]}}")
	for _, test := range []struct {
		args []string
		want string
	}{
		{
			[]string{"--fault", "flakey"},
			`--fault is "flakey": there is no such fault, perhaps "flaky" is meant: choose from amnesia, ` +
				`auth-rotation, clock-step, flaky, goaway, idle-close, outage, router-404, slow, sticky-offline, ` +
				`throttled`,
		},
		{
			[]string{"--fault", "slow@gpu-[", "--fault", "none"},
			`--fault is "slow@gpu-[": /rules/0/match/node: "gpu-[" is no pattern`,
		},
		{[]string{"--fault", "flaky:one-in-ten@gpu-1"}, `there is no such fault, perhaps "flaky" is meant`},
		{[]string{"--fault", "slow@gpu-[", "--fault", "none"}, `--fault is "none": there is no such fault`},
		{
			[]string{"--fault", "slow@"},
			`--fault is "slow@": a pattern of node ids is missing after the @`,
		},
		{
			[]string{"--faults-file", file},
			"--faults-file: " + file + ": /faults/it/rules/0/effect/status: must be 400 or more, not 200",
		},
		{[]string{"--faults-file", "nowhere"}, "--faults-file: stat nowhere: no such file or directory"},
	} {
		if _, _, err := loaded(t, test.args...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %s", test.args, err, test.want)
		}
	}
}

// TestFollow changes the file of faults as editors and mistakes do.
func TestFollow(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "faults.yaml"), fileOfFaults)
	synctest.Test(t, func(t *testing.T) {
		m, set, err := loaded(t, "--faults-file", file, "--fault", "slow")
		if err != nil {
			t.Fatal(err)
		}
		var log lines
		stop := m.follow(set, slog.New(slog.NewTextHandler(&log, nil)))
		for _, test := range []struct {
			name   string
			change func()
			on     []string
			logged string // "" for nothing
		}{
			{"nothing", func() {}, []string{"slow", "teapot"}, ""},
			{"another text", func() {
				write(t, file, strings.ReplaceAll(fileOfFaults, "false", "true"))
			}, []string{"busy", "slow", "teapot"}, "read again"},
			{
				"broken", func() { write(t, file, "faults: [") },
				[]string{"busy", "slow", "teapot"},
				"file of faults is broken",
			},
			{"gone", func() { os.Remove(file) }, []string{"busy", "slow", "teapot"}, "no such file"},
			{"replaced", func() {
				if err := os.Rename(write(t, file+"~", "faults: {}"), file); err != nil {
					t.Fatal(err)
				}
			}, []string{"slow"}, "read again"},
			{"half written", func() {
				time.Sleep(lookInterval / 2) // to between two looks
				write(t, file, fileOfFaults[:30])
				time.Sleep(lookInterval * 3 / 4) // in which one look falls
				write(t, file, fileOfFaults)
			}, []string{"slow", "teapot"}, "read again"},
		} {
			log.take()
			test.change()
			time.Sleep(time.Minute)
			if got := set.Enabled(); !slices.Equal(got, test.on) {
				t.Errorf("%s: %q are on", test.name, got)
			}
			if set.Reset(); !slices.Equal(set.Enabled(), test.on) {
				t.Errorf("%s: after a reset, %q are on", test.name, set.Enabled())
			}
			logged := log.take()
			if test.logged == "" && len(logged) > 0 || test.logged != "" &&
				(len(logged) != 1 || !strings.Contains(logged[0], test.logged)) {
				t.Errorf("%s: logged %q", test.name, logged)
			}
		}
		stop()
	})
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, string(line))
	return len(line), nil
}

func (l *lines) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.text
	l.text = nil
	return taken
}

// TestHangingRequest stops the program while a fault has a request hang.
func TestHangingRequest(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "faults.yaml"), "faults: {it: {rules: [{effect: {connection: hang}}]}}")
	program := start(t, nil, "--faults-file", file)
	sent := make(chan struct{})
	trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, program.url,
		http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Path = "/v2/nodes"
	failed := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			response.Body.Close()
		}
		failed <- err
	}()
	<-sent
	if status, _, stderr := program.stop(); status != 0 || strings.Contains(stderr, "cut off") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}
