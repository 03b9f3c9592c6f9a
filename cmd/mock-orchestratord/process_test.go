package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// asProgram is in the environment of a process that is to be the program itself.
const asProgram = "MOCK_ORCHESTRATORD_IN_TEST"

// TestReaderOfTheLogGoes ends whoever reads what the program prints and logs. It serves on.
func TestReaderOfTheLogGoes(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	mock := exec.CommandContext(t.Context(), os.Args[0], "--addr", "127.0.0.1:0", "--cloud-profile=false")
	mock.Env = append(os.Environ(), asProgram+"=1")
	mock.Stdout, mock.Stderr = write, write
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	line, err := bufio.NewReader(read).ReadString('\n')
	read.Close()
	url, _, _ := strings.Cut(strings.TrimPrefix(line, "mock-orchestratord listens on "), " ")
	if err != nil {
		t.Fatalf("it printed %q: %v", line, err)
	}
	for range 3 { // it logs each
		if status := get(t, url, ""); status != http.StatusServiceUnavailable {
			t.Errorf("status %d", status)
		}
	}
	if err := mock.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := mock.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
