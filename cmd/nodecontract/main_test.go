package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	nodes  = "../../openapi/nodes.yaml"
	pact   = "testdata/pact.json"
	exempt = "testdata/exempt.yaml"
)

// nodecontract runs the program, and returns what it wrote.
func nodecontract(t *testing.T, wantStatus int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(t.Context(), args, &out, &errs); status != wantStatus {
		t.Fatalf("nodecontract %s: exit status %d, not %d\n%s%s", strings.Join(args, " "), status, wantStatus, &out,
			&errs)
	}
	return out.String(), errs.String()
}

// changed writes a copy of a file in which a text, which has to be there, is
// replaced where it comes first, and returns its path.
func changed(t *testing.T, path, old, replacement string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", path, old)
	}
	return written(t, filepath.Base(path), strings.Replace(string(text), old, replacement, 1))
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lineOf returns the line of a file that a text starts on.
func lineOf(t *testing.T, path, text string) int {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(content), text)
	if !found {
		t.Fatalf("%s has no %q", path, text)
	}
	return strings.Count(before, "\n") + 1
}

func TestWithoutACommand(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string // the end of stderr
	}{
		"none": {nil, "\nnodecontract: no command is given, so nothing was checked\n"},
		"misspelt": {
			[]string{"chekc"},
			`nodecontract: there is no command "chekc", perhaps "check" is meant; see nodecontract --help` + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if stdout, stderr := nodecontract(t, 2, test.args...); stdout != "" ||
				!strings.HasSuffix(stderr, test.want) {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

// An empty name is most likely a variable that is not set.
func TestEmptyDocument(t *testing.T) {
	for name, args := range map[string][]string{
		"check":   {"check", "--pact", pact},
		"diff":    {"diff", "--base", nodes},
		"drift":   {"drift", "missing.har"},
		"conform": {"conform", "--provider-url", "http://localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			const want = `nodecontract: --document is "": a file has a name; see nodecontract `
			stdout, stderr := nodecontract(t, 2, append(args, "--document", "")...)
			if stdout != "" || !strings.HasPrefix(stderr, want) {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

func TestCheckAgrees(t *testing.T) {
	stdout, stderr := nodecontract(t, 0, "check", "--pact", pact, "--document", nodes, "--exempt", exempt)
	if !strings.Contains(stdout, "\n0 findings; ") || stderr != "" {
		t.Errorf("stdout and stderr:\n%s%s", stdout, stderr)
	}
}

func TestCheckNamesTheCulprit(t *testing.T) {
	for _, test := range []struct {
		name             string
		old, replacement string // in the document
		at               string // the line of the document that is named starts here
		want             string
	}{
		{
			"a field renamed",
			"        slots_free:\n", "        free_slots:\n",
			"    PoolStatus:\n",
			`"a heartbeat" /request/body/content/pools/0/slots_free: the document has no field "slots_free" here`,
		},
		{
			"a field of another type",
			"        next_heartbeat_ms:\n          type: integer\n          format: int64",
			"        next_heartbeat_ms:\n          type: string",
			"        next_heartbeat_ms:\n",
			`"a heartbeat" /response/matchingRules/body/$.next_heartbeat_ms: the matcher integer stands for integer ` +
				`or number, and the document has string here`,
		},
		{
			"a field required",
			"required: [pool_id, ready, slots_free]", "required: [pool_id, ready, slots_free, engine]",
			"      required: [pool_id, ready, slots_free, engine]",
			`"a heartbeat" /request/body/content/pools/0/engine: property "engine" is missing`,
		},
		{
			"a response added",
			`        "404":`,
			"        \"403\":\n          $ref: \"#/components/responses/Unauthorized\"\n        \"404\":",
			`        "403":`,
			`/paths/~1v2~1nodes~1{id}~1heartbeat/post/responses/403: no interaction exercises 403 of heartbeatNode, ` +
				`and it is not exempt`,
		},
		{
			"a header removed",
			"        Retry-After:\n", "        Try-Again:\n",
			"      headers:\n        X-Correlation-Id:\n          $ref: \"#/components/headers/CorrelationId\"\n    " +
				"    Try-Again:",
			`"a heartbeat when there are too many" /response/headers/Retry-After: the document has no Retry-After here`,
		},
		{
			"a field of an answer optional",
			"required: [success, next_heartbeat_ms]", "required: [success]",
			"    HeartbeatResponse:\n",
			`"a heartbeat" /response/body/content/next_heartbeat_ms: the document does not require the field ` +
				`"next_heartbeat_ms"`,
		},
		{
			"a field of an item of an answer optional",
			"capabilities, status, registered_at_ms]", "capabilities, registered_at_ms]",
			"    Node:\n",
			`"a list of nodes" /response/body/content/nodes/0/status: the document does not require the field "status"`,
		},
		{
			"a header optional",
			"next attempt.\n      required: true\n", "next attempt.\n",
			"    RetryAfter:\n",
			`"a heartbeat when there are too many" /response/headers/Retry-After: the document does not require ` +
				`Retry-After`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			document := changed(t, nodes, test.old, test.replacement)
			stdout, _ := nodecontract(t, 1, "check", "--pact", pact, "--document", document, "--exempt", exempt)
			want := fmt.Sprintf("%s (%s:%d)\n", test.want, document, lineOf(t, document, test.at))
			if !strings.Contains(stdout, want) {
				t.Errorf("no %s in:\n%s", want, stdout)
			}
		})
	}
}

func TestCheckMissesAnInteraction(t *testing.T) {
	fewer := changed(t, pact, `"path": "/v2/nodes/gpu-node-1"
      },
      "response": {
        "status": 404`, `"path": "/v2/nodes/gpu-node-1"
      },
      "response": {
        "status": 401`)
	stdout, _ := nodecontract(t, 1, "check", "--pact", fewer, "--document", nodes, "--exempt", exempt)
	for _, want := range []string{
		"no interaction exercises 404 of deregisterNode",
		`401 of deregisterNode is exempt for nothing: interaction "a deregistration of an unknown node" exercises ` +
			`it (testdata/exempt.yaml:5)`,
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in:\n%s", want, stdout)
		}
	}
}

func TestCheckFormats(t *testing.T) {
	results := written(t, "results.json", `{"provider": "orchestratord", "interactions": []}`)
	args := []string{"check", "--pact", pact, "--document", nodes, "--exempt", exempt, "--results", results, "--report"}
	for format, want := range map[string]string{
		"text":     "heartbeatNode   200     ",
		"markdown": "| heartbeatNode | 200 | ",
		"json":     `"operation": "heartbeatNode",`,
	} {
		stdout, _ := nodecontract(t, 1, append(args, format)...)
		if !strings.Contains(stdout, want) {
			t.Errorf("%s has no %s:\n%s", format, want, stdout)
		}
	}
}

func TestCheckCannotTell(t *testing.T) {
	empty := written(t, "pact.json", `{"interactions": [], "metadata": {"pactSpecification": {"version": "4.0"}}}`)
	for name, args := range map[string][]string{
		"no pact":                     {"--document", nodes, "--exempt", exempt},
		"a device as a pact":          {"--pact", "/dev/zero", "--document", nodes, "--exempt", exempt},
		"a pact that is missing":      {"--pact", "missing.json", "--document", nodes, "--exempt", exempt},
		"a pact without interactions": {"--pact", empty, "--document", nodes, "--exempt", exempt},
		"a document that is missing":  {"--pact", pact, "--document", "missing.yaml", "--exempt", exempt},
		"a document that is none":     {"--pact", pact, "--document", pact, "--exempt", exempt},
		"exemptions that are missing": {"--pact", pact, "--document", nodes, "--exempt", "missing.yaml"},
		"results that are missing": {
			"--pact", pact, "--document", nodes, "--exempt", exempt, "--results", "missing.json",
		},
		"a format that there is not":     {"--pact", pact, "--document", nodes, "--exempt", exempt, "--report", "xml"},
		"a flag that there is not":       {"--pacts", pact},
		"an argument that is not wanted": {"--pact", pact, "--document", nodes, "--exempt", exempt, "more"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := nodecontract(t, 2, append([]string{"check"}, args...)...)
			if stdout != "" || !strings.HasPrefix(stderr, "nodecontract: ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	nodecontract(t, 0, "diff", "--base", nodes, "--document", nodes)

	gentle := changed(t, nodes, "        draining:\n", "        reason:\n          type: string\n        draining:\n")
	stdout, _ := nodecontract(t, 0, "diff", "--base", nodes, "--document", gentle)
	if want := "added the new optional request property `pools/items/reason`"; !strings.Contains(stdout, want) {
		t.Errorf("no %s in:\n%s", want, stdout)
	}

	harsh := changed(t, nodes, "required: [gpu_count, total_vram_mb, cuda_version]",
		"required: [gpu_count, total_vram_mb, cuda_version, gpus]")
	stdout, _ = nodecontract(t, 1, "diff", "--base", nodes, "--document", harsh)
	const want = "the request property `capabilities/gpus` became required (request-property-became-required)"
	if !strings.Contains(stdout, want) {
		t.Errorf("no %s in:\n%s", want, stdout)
	}
	stdout, _ = nodecontract(t, 1, "diff", "--base", nodes, "--document", harsh, "--report", "json")
	if !json.Valid([]byte(stdout)) {
		t.Errorf("not JSON:\n%s", stdout)
	}
}

// Whose break is a failure, and what was agreed on.
func TestDiffFailsOn(t *testing.T) {
	young := changed(t, nodes, "enum: [Registering, Online,", "enum: [Registering, Online, Lost,")
	old := changed(t, nodes, "required: [success, message, node_id]", "required: [success, message]")
	lossy := changed(t, nodes, "        last_heartbeat_ms:\n          type", "        heartbeat_ms:\n          type")
	accepted := written(t, "accepted.yaml",
		"- rule: response-property-enum-value-added\n  reason: every node ignores a status that it does not know\n")
	for name, test := range map[string]struct {
		status int
		args   []string
	}{
		"old nodes":                 {1, []string{"--base", nodes, "--document", young}},
		"new nodes are not":         {0, []string{"--base", nodes, "--document", young, "--fail-on", "new-nodes"}},
		"none":                      {0, []string{"--base", nodes, "--document", young, "--fail-on", "none"}},
		"new nodes are asked for":   {1, []string{"--base", old, "--document", nodes, "--fail-on", "new-nodes"}},
		"old nodes do not mind":     {0, []string{"--base", old, "--document", nodes}},
		"any":                       {1, []string{"--base", old, "--document", nodes, "--fail-on", "any"}},
		"what was optional":         {0, []string{"--base", nodes, "--document", lossy, "--fail-on", "any"}},
		"all":                       {1, []string{"--base", nodes, "--document", lossy, "--fail-on", "all"}},
		"agreed on":                 {0, []string{"--base", nodes, "--document", young, "--accept", accepted}},
		"agreed on for nothing":     {1, []string{"--base", nodes, "--document", nodes, "--accept", accepted}},
		"nobody that there is":      {2, []string{"--base", nodes, "--document", nodes, "--fail-on", "nodes"}},
		"a list that is not there":  {2, []string{"--base", nodes, "--document", nodes, "--accept", "missing.yaml"}},
		"a list that is not a list": {2, []string{"--base", nodes, "--document", nodes, "--accept", nodes}},
	} {
		t.Run(name, func(t *testing.T) {
			nodecontract(t, test.status, append([]string{"diff"}, test.args...)...)
		})
	}
}

func TestDiffAgainstRevision(t *testing.T) {
	document := changed(t, nodes, "version: 0.1.0", "version: 0.2.0")
	release(t, filepath.Dir(document), "v0.2.0")
	nodecontract(t, 0, "diff", "--base", "v0.2.0", "--document", document)

	if err := os.Rename(changed(t, document, "required: [success, next_heartbeat_ms]", "required: [success]"),
		document); err != nil {
		t.Fatal(err)
	}
	stdout, _ := nodecontract(t, 1, "diff", "--base", "v0.2.0", "--document", document)
	if want := document + " against v0.2.0:" + document +
		"\n\nBreaks old nodes before a new orchestratord\n"; !strings.HasPrefix(stdout, want) {
		t.Errorf("no %s in:\n%s", want, stdout)
	}

	_, stderr := nodecontract(t, 2, "diff", "--base", "v0.3.0", "--document", document)
	if want := "nodecontract: v0.3.0 is no file, and no git revision that has " +
		document; !strings.HasPrefix(stderr, want) {
		t.Errorf("stderr is not %s: %s", want, stderr)
	}
}

// release makes a git repository of a directory, and tags its only commit.
func release(t *testing.T, directory, tag string) {
	t.Helper()
	for _, variable := range os.Environ() {
		// In a hook of this repository they would lead git to it.
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "GIT_") {
			t.Setenv(name, value) // which restores it
			os.Unsetenv(name)
		}
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "."},
		{"-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "commit", "--quiet", "--message", tag},
		{"tag", tag},
	} {
		git := exec.CommandContext(t.Context(), "git", append([]string{"-C", directory}, args...)...)
		if output, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, output)
		}
	}
}

func TestDiffCannotTell(t *testing.T) {
	for name, args := range map[string][]string{
		"no base":                    {"--document", nodes},
		"an empty base":              {"--base", "", "--document", nodes},
		"a base that is missing":     {"--base", "missing.yaml", "--document", nodes},
		"a base that is none":        {"--base", exempt, "--document", nodes},
		"a document that is missing": {"--base", nodes, "--document", "missing.yaml"},
		"a document that is none":    {"--base", nodes, "--document", exempt},
		"a format that there is not": {"--base", nodes, "--document", nodes, "--report", "xml"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := nodecontract(t, 2, append([]string{"diff"}, args...)...)
			if stdout != "" || !strings.HasPrefix(stderr, "nodecontract: ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}
