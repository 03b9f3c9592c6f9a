//go:build unix

package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A FIFO that nobody writes to would hold up the command for good.
func TestAReportIsARegularFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fifo, "/dev/zero"} {
		var out, log bytes.Buffer
		if status := run(t.Context(), []string{"merge", file}, &out, &log); status != 1 ||
			!strings.Contains(log.String(), file+" is not a regular file") {
			t.Errorf("status %d, error %q", status, log.String())
		}
	}
}
