package usage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a fenced block of shell commands in a Markdown file. A comment directly above it may
// say how it runs:
//
//	<!-- skip: reason -->                            not at all
//	<!-- with a mock -->                             beside a mock on 127.0.0.1:8080
//	<!-- with a mock and gpu-node-1 -->              and beside a node of it that is Online
//	<!-- with a mock in front of one in service -->  and that mock has another as its orchestratord
//	<!-- until it serves -->                         each program of it is stopped when it serves
//
// Without a comment its commands end by themselves. They run in a folder that has what a checkout
// has. In a block of the language console, lines behind $ are commands, followed by what they write.
// A line that ends with a backslash goes on in the next one.
type block struct {
	file, how, text string
	line            int
	console         bool
}

var fence = regexp.MustCompile("(?ms)^(?:<!-- ([^\n]*) -->\n)?```(sh|console)\n(.*?)^```$")

// pages returns the texts of the documentation by their files.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*.md", "examples/*/*.md", "openapi/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %q, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[strings.TrimPrefix(file, root+"/")] = string(text)
		}
	}
	return texts
}

// blocks returns the shell blocks of the documentation: what stands on several pages, once.
func blocks(t *testing.T) (found []block) {
	t.Helper()
	texts, seen := pages(t), map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(texts)) {
		text := texts[file]
		for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
			whole := text[at[0]:at[1]]
			if seen[whole] {
				continue
			}
			seen[whole] = true
			b := block{file: file, line: 1 + strings.Count(text[:at[4]], "\n")}
			if at[2] >= 0 {
				b.how = text[at[2]:at[3]]
			}
			b.console, b.text = text[at[4]:at[5]] == "console", text[at[6]:at[7]]
			found = append(found, b)
		}
	}
	if len(found) < 20 {
		t.Fatalf("the documentation has %d shell blocks, want 20 or more", len(found))
	}
	return found
}

// TestCommandsAreMarked finds commands in fenced blocks that have no language, which nobody runs.
func TestCommandsAreMarked(t *testing.T) {
	bare := regexp.MustCompile("(?ms)^ *```([^\n]*)\n(.*?)^ *```$")
	command := regexp.MustCompile(`^(\w+=\S* )*(\S*/)?(go|curl|pact|make|docker|kubectl|cp|` +
		strings.Join(programs, "|") + `) |(?m:^\$ )`)
	for file, text := range pages(t) {
		for _, found := range bare.FindAllStringSubmatch(text, -1) {
			if found[1] == "" && command.MatchString(found[2]) {
				t.Errorf("%s: the block is neither sh nor console:\n%s", file, found[2])
			}
		}
	}
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
			case b.how == "with a mock":
				b.runBeside(t, startMock(t))
			case b.how == "with a mock and gpu-node-1":
				mock := startMock(t)
				startNode(t, mock)
				b.runBeside(t, mock)
			case b.how == "with a mock in front of one in service":
				b.runBeside(t, startMock(t, "--upstream", startMock(t, "--dialect", "in-service")))
			case b.how == "":
				b.run(t)
			default:
				t.Errorf("nobody knows how to run %q", b.how)
			}
		})
	}
}

// runBeside runs the block with the URL of a mock in place of the usual one.
func (b block) runBeside(t *testing.T, mock string) {
	t.Helper()
	b.text = regexp.MustCompile(`(127\.0\.0\.1|localhost):8080`).ReplaceAllString(b.text,
		strings.TrimPrefix(mock, "http://"))
	b.run(t)
}

// run runs the block as one script. It compares what commands of a console write.
func (b block) run(t *testing.T) {
	t.Helper()
	script, want, goesOn := "set -euo pipefail\n", "", false
	for line := range strings.Lines(b.text) {
		command, isCommand := line, true
		if b.console {
			command, isCommand = strings.CutPrefix(line, "$ ")
		}
		if !isCommand && !goesOn {
			want += line
			continue
		}
		script += command
		goesOn = strings.HasSuffix(command, "\\\n")
	}
	command := shell(t, script)
	var stderr strings.Builder
	command.Stderr = &stderr
	got, err := command.Output()
	whole := func(text string) string { return strings.TrimSuffix(text, "\n") } // no page shows whether it has one
	if err != nil || b.console && whole(string(got)) != whole(want) {
		t.Errorf("%v, stderr %s\nstdout\n%s\nwant\n%s", err, &stderr, got, want)
	}
}

// serve starts each line with a program, after the other lines above it, on any port. It stops it
// when it serves: it has to end well then.
func (b block) serve(t *testing.T) {
	t.Helper()
	before := ""
	for line := range strings.Lines(b.text) {
		if name, _, _ := strings.Cut(line, " "); !slices.Contains(programs, strings.TrimSpace(name)) {
			before += line
			continue
		}
		env := []string{"ORCHD_ADDR=127.0.0.1:0"}
		if strings.HasPrefix(line, "nodesim") {
			env = append(env, "ORCHESTRATORD_URL="+startMock(t))
		}
		line = strings.TrimSuffix(strings.TrimSpace(line), " &")
		line = regexp.MustCompile(`(--addr \S+:)\d+`).ReplaceAllString(line, "${1}0")
		command, _ := started(t, env, before+"exec "+line)
		stop(t, command)
	}
	if before == b.text {
		t.Error("no line starts a program")
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
func startMock(t *testing.T, args ...string) string {
	t.Helper()
	command, line := started(t, []string{"ORCHD_ADDR=127.0.0.1:0"}, "exec mock-orchestratord "+strings.Join(args, " "))
	t.Cleanup(func() { stop(t, command) })
	return address.FindString(line)
}

// startNode starts a node until the test ends.
func startNode(t *testing.T, mock string) {
	t.Helper()
	command, _ := started(t, []string{"ORCHESTRATORD_URL=" + mock}, "exec nodesim run")
	t.Cleanup(func() { stop(t, command) })
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
