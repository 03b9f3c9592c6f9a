package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/fleet"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// What a report says of others is safe to show, whatever is in the file.
func TestAReportCannotSteerATerminal(t *testing.T) {
	for _, format := range report.Formats() {
		file := writeFile(t,
			`{"fleets":[{"prefix":"a\u001b[2J\u202e"}],"failures":{"x\u009b31m\nBROKEN":1,"\u009b":1,"<U+009B>":2},`+
				`"orchestratord":{"error":"\\x1b]0;"}}`)
		var out, log bytes.Buffer
		if status := run(t.Context(), []string{"merge", "--report", format, file}, &out, &log); status != brokenStatus {
			t.Errorf("status %d, error %q", status, log.String())
		}
		for _, bad := range []string{"\x1b", "\u009b", "\u202e", `\x1b`, `\u001b`, "\nBROKEN\n"} {
			if strings.Contains(out.String(), bad) {
				t.Errorf("%q is in the report:\n%s", bad, out.String())
			}
		}
		if !strings.Contains(out.String(), "U+001B") {
			t.Errorf("what it says is not shown:\n%s", out.String())
		}
		shown, counts := out.String(), format == "text" || format == "json"
		if counts && !strings.Contains(shown, "3 × <U+009B>") && !strings.Contains(shown, `"\u003cU+009B\u003e": 3`) {
			t.Errorf("two kinds of failures that look alike are not counted together:\n%s", out.String())
		}
	}
}

func TestReportsAddUp(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t)
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")}
	var fleets sync.WaitGroup
	const firstBeat = "2s" // comes within a second, unless the machine is very busy
	for i, prefix := range []string{"a", "b"} {
		fleets.Go(func() {
			var out, log bytes.Buffer
			args := fleetArgs(orchestratord.URL,
				"--for", firstBeat, "--node-prefix", prefix, "--report", "json="+files[i])
			if status := run(t.Context(), args, &out, &log); !ran(status) || out.Len() != 0 {
				t.Errorf("status %d, output %q, error %q", status, out.String(), log.String())
			}
		})
	}
	fleets.Wait()
	var out, log bytes.Buffer
	if status := run(t.Context(), append([]string{"merge", "--report", "json"}, files...), &out, &log); !ran(status) {
		t.Fatalf("status %d: %s", status, log.String())
	}
	sum, a, b := parse(t, out.Bytes()), parse(t, readFile(t, files[0])), parse(t, readFile(t, files[1]))
	if sum.Nodes != 10 || sum.Registered != 10 || len(sum.Fleets) != 2 ||
		sum.Beats.Answered != a.Beats.Answered+b.Beats.Answered ||
		sum.Orchestratord.Online+sum.Orchestratord.Registering != 10 {
		t.Errorf("sum is %+v", sum)
	}
	for name, test := range map[string]struct{ file, want string }{
		"a report twice": {files[0], `fleet "a" is in two reports`},
		"no file":        {filepath.Join(dir, "none.json"), "none.json: no such file"},
		"no report":      {writeFile(t, "{}"), "not a report"},
		"no JSON":        {writeFile(t, "fleet:"), "not a report of nodesim fleet --report json: invalid character"},
		"another JSON":   {writeFile(t, "[]"), "json: the whole is of type array, which does not belong there"},
		"no histogram":   {writeFile(t, `{"fleets":[{}],"latency":{"hdrhistogram_us":"AAAA"}}`), "latency histogram"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			status := run(t.Context(), []string{"merge", files[0], test.file}, &out, &log)
			if status != 1 || out.Len() != 0 || !strings.Contains(log.String(), test.want) {
				t.Errorf("status %d, output %q, error %q, want %q", status, out.String(), log.String(), test.want)
			}
		})
	}
}

func parse(t *testing.T, text []byte) (r fleet.Report) {
	t.Helper()
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writeFile(t *testing.T, content string) string {
	file := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Both commands report a broken promise by their exit status.
func TestABrokenPromiseIsAnExitStatus(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.InMemory(t)
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		orchestratord.ServeHTTP(w, r)
		if r.Method == http.MethodPost { // of the first node; the others have an hour
			interrupt()
		}
	}))
	defer server.Close()
	var report, table, log bytes.Buffer
	args := fleetArgs(server.URL, "--ramp", "1h", "--report", "json")
	if status := run(ctx, args, &report, &log); status != brokenStatus {
		t.Errorf("status %d of fleet, error %q", status, log.String())
	}
	log.Reset()
	args = []string{"merge", writeFile(t, report.String())}
	if status := run(t.Context(), args, &table, &log); status != brokenStatus || log.Len() != 0 {
		t.Errorf("status %d of merge, error %q", status, log.String())
	}
	if !strings.Contains(table.String(), "BROKEN         nodes not registered when the fleet was interrupted: ") {
		t.Errorf("report is\n%s", table.String())
	}
}

// A report that cannot be written is no success.
func TestAReportToNowhere(t *testing.T) {
	file := writeFile(t, `{"fleets":[{}]}`)
	reader, nowhere := io.Pipe()
	reader.Close()
	for _, format := range report.Formats() {
		var log bytes.Buffer
		if status := run(t.Context(), []string{"merge", "--report", format, file}, nowhere, &log); status != 1 ||
			!strings.HasPrefix(log.String(), "nodesim: report "+format+": ") {
			t.Errorf("status %d, error %q", status, log.String())
		}
	}
}

// Merge writes the formats of all programs, several at once. JUnit has a case for each
// promise; those that only orchestratord could confirm are skipped when it could not be asked.
func TestReportsOfPromises(t *testing.T) {
	for name, test := range map[string]struct {
		fleet    string
		status   int
		junit    []string
		markdown []string
	}{
		"all kept": {
			`{"fleets":[{"prefix":"a","nodes":1,"interval_seconds":10,"ran_seconds":60}]}`, 0,
			[]string{
				`<testsuites name="a: 1 nodes, a heartbeat every 10s, for 1m0s" tests="8" failures="0" errors="0"`,
				`name="no heartbeat was missed" time="0.000"></testcase>`,
			},
			[]string{"8 of 8 promises passed", "- passed: no heartbeat was late\n"},
		},
		"broken": {
			`{"fleets":[{}],"heartbeats":{"missed":2},"orchestratord":{"offline":1,"error":"away"}}`, brokenStatus,
			[]string{
				`tests="8" failures="3"`, `skipped="2"`, `<failure message="heartbeats missed: 2">`,
				`<failure message="nodes up, but Offline to orchestratord: 1">`,
				`<skipped message="orchestratord could not be asked">`,
			},
			[]string{
				"- **failed**: orchestratord could be asked\n",
				"  <br>orchestratord could not be asked for its nodes: away\n",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var markdown, log bytes.Buffer
			junit := filepath.Join(t.TempDir(), "junit.xml")
			args := []string{"merge", "--report", "junit=" + junit, "--report", "markdown", writeFile(t, test.fleet)}
			if status := run(t.Context(), args, &markdown, &log); status != test.status {
				t.Errorf("status %d, want %d: %s", status, test.status, log.String())
			}
			for _, want := range test.junit {
				if got := string(readFile(t, junit)); !strings.Contains(got, want) {
					t.Errorf("JUnit lacks %s:\n%s", want, got)
				}
			}
			for _, want := range test.markdown {
				if !strings.Contains(markdown.String(), want) {
					t.Errorf("Markdown lacks %s:\n%s", want, markdown.String())
				}
			}
		})
	}
}

// A fleet writes the same reports as merge.
func TestReportsOfAFleet(t *testing.T) {
	emptyEnvironment(t)
	var markdown, log bytes.Buffer
	junit := filepath.Join(t.TempDir(), "junit.xml")
	args := fleetArgs(mocktest.Start(t).URL, "--report", "junit="+junit, "--report", "markdown")
	if status := run(t.Context(), args, &markdown, &log); !ran(status) {
		t.Errorf("status %d: %s", status, log.String())
	}
	if got := string(readFile(t, junit)); !strings.Contains(got, ": 5 nodes, a heartbeat every 10s, for ") {
		t.Errorf("JUnit has another fleet:\n%s", got)
	}
	if !strings.Contains(markdown.String(), " of 8 promises passed") {
		t.Errorf("Markdown lacks the promises:\n%s", markdown.String())
	}
}
