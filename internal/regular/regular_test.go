package regular_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llama-orch/node-registration/internal/regular"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, fifo, link := filepath.Join(dir, "file"), filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("12345"), 0o600), syscall.Mkfifo(fifo, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		most  int64
		want  string
		wrong string
	}{
		{file, 5, "12345", ""},
		{link, 5, "12345", ""},
		{file, 4, "", "larger than 4 bytes"},
		{fifo, 5, "", "fifo: not a regular file"},
		{os.DevNull, 5, "", "not a regular file"},
		{dir, 5, "", "not a regular file"},
		{filepath.Join(dir, "none"), 5, "", "none: no such file"},
	} {
		got, err := regular.Read(t.Context(), test.name, test.most)
		if string(got) != test.want || (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %q, %v, want %q, %q", test.name, got, err, test.want, test.wrong)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := regular.Read(over, file, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}
