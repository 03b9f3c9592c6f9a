//go:build unix

package atomicfile_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/llama-orch/node-registration/internal/atomicfile"
)

const size = 1 << 20

// writerEnv makes the test binary a program that writes the file of that path.
const writerEnv = "ATOMICFILE_TEST_WRITES"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		write(path, os.Args[len(os.Args)-1] == "full")
	}
	os.Exit(m.Run())
}

// write writes the file once to a disk with half the room, or again and again until it is
// killed.
func write(path string, full bool) {
	if full {
		signal.Ignore(syscall.SIGXFSZ)
		room := syscall.Rlimit{Cur: size / 2, Max: size / 2}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &room); err != nil {
			panic(err)
		}
		if err := atomicfile.Write(path, bytes.Repeat([]byte("n"), size), 0o644); err != nil {
			os.Exit(3)
		}
		os.Exit(0)
	}
	for letter := byte('a'); ; letter = 'a' + (letter-'a'+1)%26 {
		if err := atomicfile.Write(path, bytes.Repeat([]byte{letter}, size), 0o644); err != nil {
			panic(err)
		}
		os.Stdout.WriteString("written\n")
	}
}

func TestAFullDiskLeavesTheOldFile(t *testing.T) {
	path := old(t)
	if err := writer(path, "full").Run(); err == nil || err.(*exec.ExitError).ExitCode() != 3 {
		t.Fatalf("the writer ends with %v, want status 3 for its error", err)
	}
	if content := read(t, path); string(content) != "old" {
		t.Errorf("the file holds %d bytes, want the old content", len(content))
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("half a file was left behind: %v, %v", entries, err)
	}
}

func TestAKillLeavesAWholeFile(t *testing.T) {
	for range 5 {
		path := old(t)
		program := writer(path, "again and again")
		out, err := program.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		_, err = bufio.NewReader(out).ReadString('\n')
		_ = program.Process.Kill()
		_ = program.Wait()
		if err != nil {
			t.Fatal(err)
		}
		content := read(t, path)
		if len(content) != size || !bytes.Equal(content, bytes.Repeat(content[:1], size)) {
			t.Errorf("the file holds %d bytes, want %d of one letter", len(content), size)
		}
	}
}

func old(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func writer(path, how string) *exec.Cmd {
	program := exec.Command(os.Args[0], how)
	program.Env = append(os.Environ(), writerEnv+"="+path)
	return program
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
