package usage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced block of shell commands in a Markdown file. A comment directly above it may
// say how it runs:
//
//	<!-- skip: reason -->                not at all
//	<!-- with a mock -->                 beside a mock on 127.0.0.1:8080
//	<!-- with a mock and gpu-node-1 -->  and beside a node of it that is Online
//	<!-- until it serves -->             each of its lines is stopped when it serves
//
// Without a comment its commands end by themselves. They run in a folder that has what a checkout
// has. In a block of the language console, lines behind $ are commands, followed by what they write.
type block struct {
	file, how, text string
	line            int
	console         bool
}

var fence = regexp.MustCompile("(?ms)^(?:<!-- ([^\n]*) -->\n)?```(sh|console)\n(.*?)^```$")

// blocks returns the shell blocks of the documentation.
func blocks(t *testing.T) (found []block) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*.md", "examples/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range fence.FindAllSubmatchIndex(text, -1) {
				b := block{file: strings.TrimPrefix(file, root+"/"), line: 1 +
					strings.Count(string(text[:at[4]]), "\n")}
				if at[2] >= 0 {
					b.how = string(text[at[2]:at[3]])
				}
				b.console, b.text = string(text[at[4]:at[5]]) == "console", string(text[at[6]:at[7]])
				found = append(found, b)
			}
		}
	}
	if len(found) < 20 {
		t.Fatalf("the documentation has %d shell blocks, want 20 or more", len(found))
	}
	return found
}

// TestCommandsInTheDocumentation runs them as they are written.
func TestCommandsInTheDocumentation(t *testing.T) {
	for _, program := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the documentation uses %s, which is not here", program)
		}
	}
	for _, b := range blocks(t) {
		t.Run(fmt.Sprintf("%s:%d", b.file, b.line), func(t *testing.T) {
			switch {
			case strings.HasPrefix(b.how, "skip: "):
				t.Skip(b.how)
			case b.how == "until it serves":
				b.serve(t)
			case strings.HasPrefix(b.how, "with a mock"):
				mock := startMock(t, strings.HasSuffix(b.how, "gpu-node-1"))
				b.text = regexp.MustCompile(`(127\.0\.0\.1|localhost):8080`).ReplaceAllString(b.text,
					strings.TrimPrefix(mock, "http://"))
				b.run(t)
			case b.how == "":
				b.run(t)
			default:
				t.Errorf("nobody knows how to run %q", b.how)
			}
		})
	}
}

// run runs the block as one script. It compares what commands of a console write.
func (b block) run(t *testing.T) {
	t.Helper()
	script, want := "set -euo pipefail\n", ""
	for line := range strings.Lines(b.text) {
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case !b.console:
			script += line
		case isCommand:
			script += command
		default:
			want += line
		}
	}
	command := shell(t, script)
	var stderr strings.Builder
	command.Stderr = &stderr
	got, err := command.Output()
	if err != nil || b.console && string(got) != want {
		t.Errorf("%v, stderr %s\nstdout\n%s\nwant\n%s", err, &stderr, got, want)
	}
}

// serve starts each line, and stops it when it serves. It has to end well then.
func (b block) serve(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(b.text) {
		env := []string{"ORCHD_ADDR=127.0.0.1:0"}
		if strings.HasPrefix(line, "nodesim") {
			env = append(env, "ORCHESTRATORD_URL="+startMock(t, false))
		}
		command, _ := started(t, env, "exec env "+line)
		stop(t, command)
	}
}

// started starts a script, and waits until what it starts serves: the mock listens, the node is
// on record.
func started(t *testing.T, env []string, script string) (*exec.Cmd, string) {
	t.Helper()
	command := shell(t, script)
	command.Env = append(command.Env, env...)
	output, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	t.Cleanup(func() { command.Process.Kill(); output.Close() })
	said := ""
	for lines := bufio.NewScanner(output); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "listens on ") || strings.Contains(lines.Text(), "online") {
			go io.Copy(io.Discard, output)
			return command, lines.Text()
		}
	}
	t.Fatalf("%s does not serve:\n%s", script, said)
	return nil, ""
}

func stop(t *testing.T, command *exec.Cmd) {
	t.Helper()
	command.Process.Signal(os.Interrupt)
	if err := command.Wait(); err != nil {
		t.Errorf("%s ends: %v", command.Args, err)
	}
}

var address = regexp.MustCompile(`http://[0-9.]+:[0-9]+`)

// startMock starts a mock until the test ends, and returns its URL.
func startMock(t *testing.T, withNode bool) string {
	t.Helper()
	command, line := started(t, []string{"ORCHD_ADDR=127.0.0.1:0"}, "exec mock-orchestratord")
	t.Cleanup(func() { stop(t, command) })
	url := address.FindString(line)
	if withNode {
		node, _ := started(t, []string{"ORCHESTRATORD_URL=" + url}, "exec nodesim run")
		t.Cleanup(func() { stop(t, node) })
	}
	return url
}

// shell returns a command that runs a script in a folder of its own, with the programs in its PATH.
func shell(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience) // what stops it comes later
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, "bash", "-c", script)
	command.Dir = t.TempDir()
	command.Env = append(bareEnvironment(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	above, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"openapi", "contracts", "deploy", "docs"} {
		if err := os.Symlink(filepath.Join(above, folder), filepath.Join(command.Dir, folder)); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(filepath.Join(command.Dir, "faults.yaml"),
		[]byte("faults: {own: {rules: [{effect: {status: 503}}]}}\n"), 0o600)
	return command
}
