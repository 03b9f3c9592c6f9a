package regularfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	for _, test := range []struct {
		path  string
		limit int64
		want  string // "" for an error
		err   string
	}{
		{file, 5, "12345", ""},
		{link, 5, "12345", ""},
		{file, 4, "", "file is larger than 4 bytes"},
		{dir, 5, "", "is not a regular file"},
		{os.DevNull, 5, "", os.DevNull + " is not a regular file"},
		{"/dev/zero", 5, "", "/dev/zero"},
	} {
		got, err := regularfile.Read(t.Context(), test.path, test.limit)
		if string(got) != test.want || (err == nil) != (test.err == "") || err != nil &&
			!strings.Contains(err.Error(), test.err) {
			t.Errorf("%s, %d bytes: %q, %v", test.path, test.limit, got, err)
		}
	}
	if _, err := regularfile.Read(t.Context(), filepath.Join(dir, "none"), 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // some find the file read by then
		if _, err := regularfile.Read(ctx, "regularfile.go", 1<<20); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v", err)
			}
			return
		}
	}
	t.Error("the context changes nothing")
}
