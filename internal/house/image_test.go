//go:build linux

package house

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestProgramsRunInAnEmptyRoot builds the programs as the Dockerfile does, and starts each where
// there is nothing but itself. The mock has to answer there, and to end well on SIGTERM, as
// `docker stop` sends it.
func TestProgramsRunInAnEmptyRoot(t *testing.T) {
	isShipped(t)
	const most = 25 << 20 // bytes of an image
	for _, program := range []string{"mock-orchestratord", "nodesim", "nodecontract"} {
		t.Run(program, func(t *testing.T) {
			empty := t.TempDir()
			path := filepath.Join(empty, "program")
			build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path,
				"./cmd/"+program)
			build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if info, err := os.Stat(path); err != nil || info.Size() > most {
				t.Errorf("the program has %d bytes: %v", info.Size(), err)
			}
			switch out, err := within(t, empty, "--version").CombinedOutput(); {
			case errors.Is(err, syscall.EPERM):
				t.Skip("this system lets nobody change the root directory")
			case err != nil:
				t.Fatalf("%v\n%s", err, out)
			}
			if program == "mock-orchestratord" {
				serveAndStop(t, within(t, empty, "--addr", "127.0.0.1:0"))
			}
		})
	}
}

// within returns the command that starts /program with a directory as its root, as nobody.
func within(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	if err := os.Chmod(dir, 0o755); err != nil { // for nobody to enter
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "/program", args...)
	command.Dir, command.Env = "/", []string{}
	command.SysProcAttr = &syscall.SysProcAttr{Chroot: dir, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	return command
}

// serveAndStop waits until the mock says where it listens, asks it how it is, and stops it.
func serveAndStop(t *testing.T, mock *exec.Cmd) {
	t.Helper()
	output, err := mock.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	mock.Stdout = mock.Stderr
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	url, lines := "", bufio.NewScanner(output)
	for url == "" && lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "http://"); ok {
			url, _, _ = strings.Cut("http://"+address, " ")
		}
	}
	answer, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatalf("at %q: %v", url, err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != http.StatusOK {
		t.Errorf("status %d", answer.StatusCode)
	}
	if err := mock.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until it has closed its output
	}
	if err := mock.Wait(); err != nil {
		t.Errorf("on SIGTERM the mock ends with %v", err)
	}
}
