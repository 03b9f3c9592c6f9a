package shipped

import (
	"encoding/xml"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// action is action.yml, as far as the runner needs it.
type action struct {
	Inputs map[string]struct {
		Default  string
		Required bool
	}
	Runs struct {
		Using string
		Steps []step
	}
}

type step struct {
	ID, Uses, Shell, Run string
	With, Env            map[string]string
}

func readAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	if a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Fatalf("this runs no steps: %+v", a.Runs)
	}
	return a
}

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// resolve replaces the expressions of a text by the values of a context, such as that of
// inputs.level. Of several alternatives the first that is not empty counts.
func resolve(t *testing.T, text string, context map[string]string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		for name := range strings.SplitSeq(expression.FindStringSubmatch(found)[1], " || ") {
			value, known := context[name]
			if !known && !strings.HasPrefix(name, "env.") {
				t.Errorf("there is no %s", name)
			}
			if value != "" {
				return value
			}
		}
		return ""
	})
}

// outcome is what a run of the action leaves behind.
type outcome struct {
	status                       int
	log, summary, output, report string
}

// runAction does what the runner does: it resolves the inputs, and runs the steps in a directory of
// the caller's. The actions that the steps use have no effect here.
func runAction(t *testing.T, inputs map[string]string) outcome {
	t.Helper()
	home, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	a, dir := readAction(t), t.TempDir()
	context := map[string]string{"github.action_path": home}
	for name, input := range a.Inputs {
		context["inputs."+name] = input.Default
	}
	for name, value := range inputs {
		if _, known := a.Inputs[name]; !known {
			t.Fatalf("there is no input %s", name)
		}
		context["inputs."+name] = value
	}
	files := map[string]string{}
	for _, name := range []string{"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"} {
		files[name] = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(files[name], []byte("before\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var result outcome
	for _, step := range a.Runs.Steps {
		for _, value := range step.With {
			resolve(t, value, context)
		}
		if step.Run == "" {
			continue
		}
		bash := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		bash.Dir = dir
		bash.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+home)
		for _, vars := range []map[string]string{files, step.Env} {
			for _, name := range slices.Sorted(maps.Keys(vars)) {
				bash.Env = append(bash.Env, name+"="+resolve(t, vars[name], context))
			}
		}
		out, err := bash.CombinedOutput()
		result.log += string(out)
		if err != nil {
			result.status = bash.ProcessState.ExitCode()
			break
		}
	}
	result.summary, result.output = readText(t, files["GITHUB_STEP_SUMMARY"]), readText(t, files["GITHUB_OUTPUT"])
	if path := filepath.Join(dir, context["inputs.report"]); isThere(path) {
		result.report = readText(t, path)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 1 {
		t.Errorf("besides the report there is more in the caller's directory: %v, %v", left, err)
	}
	return result
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestAction has the action verify mocks that keep the contract, with a token and without, and
// one that does not.
func TestAction(t *testing.T) {
	isShipped(t)
	pact := "false"
	if ready, _ := filepath.Glob(filepath.Join(root, ".pact", "libpact_ffi.*")); ready != nil {
		pact = "true"
	} else {
		t.Log("without the Pact library, `make pact-ffi`, the pact is left out")
	}
	quiet := mockserver.WithLogger(nil)
	for _, test := range []struct {
		name   string
		mock   *mocktest.Server
		inputs map[string]string
		status int
		says   string
	}{
		{"kept", mocktest.Start(t, quiet, mockserver.WithTokens("secret-of-the-test")), map[string]string{
			"token": "secret-of-the-test", "pact": pact, "report": "kept and well.xml",
		}, 0, "::notice title="},
		{"broken", mocktest.Start(t, quiet, mockserver.WithDialect(mockserver.InService)), map[string]string{
			"level": "document", "pact": "false",
		}, 1, "::error "},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.inputs["provider-url"] = test.mock.URL
			got := runAction(t, test.inputs)
			if got.status != test.status || !strings.Contains(got.log, "\n"+test.says) {
				t.Errorf("status %d, want %d and %q in the log:\n%s", got.status, test.status, test.says, got.log)
			}
			if strings.Contains(got.log+got.summary+got.report, "secret-of-the-test") {
				t.Errorf("the token shows:\n%s", got.log)
			}
			if !strings.HasPrefix(got.summary, "before\n#") {
				t.Errorf("the summary is %q", got.summary)
			}
			var suites struct {
				XMLName  xml.Name `xml:"testsuites"`
				Failures int      `xml:"failures,attr"`
			}
			if err := xml.Unmarshal([]byte(got.report), &suites); err != nil ||
				(suites.Failures > 0) != (test.status == 1) {
				t.Errorf("the report is no JUnit, or has %d failures: %v", suites.Failures, err)
			}
			if file := test.inputs["report"]; !strings.Contains(got.output, "report<<") ||
				!strings.Contains(got.output, file+"\n") {
				t.Errorf("the outputs are %q", got.output)
			}
		})
	}
}

// TestActionRunsNoInput gives the action inputs that a shell would run.
func TestActionRunsNoInput(t *testing.T) {
	isShipped(t)
	const evil = `x"; touch pwned; $(touch pwned) ` + "`touch pwned`"
	for _, inputs := range []map[string]string{
		{
			"provider-url": evil, "token": evil, "level": evil, "pact": "false", "report": evil, "ca-cert": evil,
			"timeout": evil,
		},
		{"provider-url": "http://127.0.0.1:1", "pact": evil},
	} {
		if got := runAction(t, inputs); got.status == 0 || !strings.Contains(got.log, "\n::error") {
			t.Errorf("%v: status %d\n%s", inputs, got.status, got.log)
		}
	}
}
