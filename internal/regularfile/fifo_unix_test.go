//go:build unix

package regularfile_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

// A FIFO to which nobody writes holds nobody up.
func TestFIFO(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := regularfile.Read(t.Context(), fifo, 5); err == nil ||
		!strings.Contains(err.Error(), "fifo is not a regular file") {
		t.Errorf("error is %v", err)
	}
}
