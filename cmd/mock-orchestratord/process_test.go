package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
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

// chatty starts an orchestratord that sends a text after its first answer. It returns where, and what
// ends when the client has hung up.
func chatty(t *testing.T, text string) (url string, hungUp <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	over := make(chan error, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			over <- err
			return
		}
		defer connection.Close()
		lines := bufio.NewReader(connection)
		if _, err = http.ReadRequest(lines); err == nil {
			_, _ = io.WriteString(connection, "HTTP/1.1 204 No Content\r\n\r\n"+text)
			_, err = io.Copy(io.Discard, lines)
		}
		over <- err
	}()
	return "http://" + listener.Addr().String(), over
}

// TestBytesThatNobodyAskedFor has an orchestratord send a credential after its answer. No log has it.
func TestBytesThatNobodyAskedFor(t *testing.T) {
	upstream, hungUp := chatty(t, "no such token: s3cr3t")
	var logged bytes.Buffer
	mock := exec.CommandContext(t.Context(), os.Args[0], "--addr", "127.0.0.1:0", "--upstream", upstream)
	mock.Env, mock.Stderr = append(os.Environ(), asProgram+"=1"), &logged
	printed, err := mock.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(printed).ReadString('\n')
	url, _, _ := strings.Cut(strings.TrimPrefix(line, "mock-orchestratord listens on "), " ")
	if status := get(t, url, ""); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	if err := <-hungUp; err != nil {
		t.Error(err)
	}
	_ = mock.Process.Signal(syscall.SIGTERM)
	if err := mock.Wait(); err != nil || strings.Contains(logged.String(), "s3cr3t") {
		t.Errorf("it ended with %v, and logged %q", err, logged.String())
	}
}
