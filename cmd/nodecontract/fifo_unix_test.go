//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A FIFO that nobody writes to would hold up the command for good, and a device fill the memory.
func TestAnArchiveIsARegularFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fifo, "/dev/zero", t.TempDir()} {
		if text, status := runDrift(t, file); status != 2 || !strings.Contains(text, file+" is not a regular file") {
			t.Errorf("status %d: %s", status, text)
		}
	}
}

// TestStandardInputThatNeverEnds has the command end when it is asked to, whoever still writes.
func TestStandardInputThatNeverEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stdin, writer := io.Pipe()
	defer writer.Close()
	go func() {
		_, _ = writer.Write([]byte("{")) // returns when it is being read
		stop()
	}()
	if _, err := readArchive(ctx, stdin, "-"); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want that it was cancelled", err)
	}
}

// A FIFO that nobody reads from is no place for a report: opening it would never end.
func TestAReportThatNobodyReads(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	if status := run(t.Context(), []string{"overlay", "--report", "json=" + fifo}, &out, &log); status != 2 ||
		!strings.Contains(log.String(), fifo) {
		t.Errorf("status %d, error %q", status, log.String())
	}
}
